//! Where Customer.io's webhooks come from. A sign, never a gate: the vendor's list has grown over time, so a request
//! from elsewhere is judged by its signature alone; one from here that no key matches says that the key changed.

use std::net::{IpAddr, Ipv4Addr};

const fn ip(a: u8, b: u8, c: u8, d: u8) -> Ipv4Addr {
    Ipv4Addr::new(a, b, c, d)
}

/// Addresses that webhooks are sent from. Source: <https://docs.customer.io/accounts-and-workspaces/ip-addresses> and
/// <https://docs.customer.io/integrations/data-out/connections/webhooks/>; the live list is the App API's
/// `GET /v1/info/ip_addresses`.
#[rustfmt::skip]
pub const ADDRESSES: &[Ipv4Addr] = &[
    // Workspaces in the US.
    ip(35, 188, 196, 183), ip(104, 198, 177, 219), ip(104, 154, 232, 87), ip(130, 211, 229, 195),
    ip(104, 198, 221, 24), ip(104, 197, 27, 15), ip(35, 194, 9, 154), ip(104, 154, 144, 51),
    ip(104, 197, 210, 12), ip(35, 225, 6, 73),
    // On the first page only.
    ip(35, 192, 215, 166), ip(34, 170, 204, 100),
    // On the second page only.
    ip(136, 111, 237, 157), ip(34, 10, 127, 179),
    // Workspaces in the EU.
    ip(34, 76, 143, 229), ip(34, 78, 91, 47), ip(34, 77, 94, 252), ip(35, 187, 188, 242),
    ip(34, 78, 122, 90), ip(35, 195, 137, 235), ip(130, 211, 108, 156), ip(104, 199, 50, 18),
    ip(34, 78, 44, 80), ip(35, 205, 31, 154),
];

/// Whether Customer.io lists this address, in either region; `::ffff:a.b.c.d` is read as IPv4.
pub fn is_customerio(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ADDRESSES.contains(&ip),
        IpAddr::V6(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn listed_addresses_are_known_and_others_are_not() {
        for (ip, want) in [
            ("35.188.196.183", true),
            ("34.10.127.179", true),
            ("35.205.31.154", true),
            ("::ffff:35.205.31.154", true),
            ("35.205.31.155", false),
            ("127.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(is_customerio(ip.parse().unwrap()), want, "{ip}");
        }
    }

    #[test]
    fn no_address_is_listed_twice() {
        let distinct: HashSet<_> = ADDRESSES.iter().collect();
        assert_eq!(distinct.len(), ADDRESSES.len());
    }
}

//! Where Customer.io's webhooks come from. A sign, never a gate: the vendor's list has grown over time, so a request
//! from elsewhere is judged by its signature alone; one from here that no key matches says that the key changed.

use std::net::{IpAddr, Ipv4Addr};

use crate::config::schema::Region;

/// One listed address.
#[derive(Debug)]
pub struct SenderAddress {
    pub ip: Ipv4Addr,
    /// The data centre of the workspaces that it sends for.
    pub region: Region,
}

const fn us(a: u8, b: u8, c: u8, d: u8) -> SenderAddress {
    SenderAddress { ip: Ipv4Addr::new(a, b, c, d), region: Region::Us }
}

const fn eu(a: u8, b: u8, c: u8, d: u8) -> SenderAddress {
    SenderAddress { ip: Ipv4Addr::new(a, b, c, d), region: Region::Eu }
}

/// Addresses that webhooks are sent from. Source: <https://docs.customer.io/accounts-and-workspaces/ip-addresses> and
/// <https://docs.customer.io/integrations/data-out/connections/webhooks/>; the live list is the App API's
/// `GET /v1/info/ip_addresses`.
#[rustfmt::skip]
pub const ADDRESSES: &[SenderAddress] = &[
    us(35, 188, 196, 183), us(104, 198, 177, 219), us(104, 154, 232, 87), us(130, 211, 229, 195),
    us(104, 198, 221, 24), us(104, 197, 27, 15), us(35, 194, 9, 154), us(104, 154, 144, 51),
    us(104, 197, 210, 12), us(35, 225, 6, 73),
    // On the first page only.
    us(35, 192, 215, 166), us(34, 170, 204, 100),
    // On the second page only.
    us(136, 111, 237, 157), us(34, 10, 127, 179),
    eu(34, 76, 143, 229), eu(34, 78, 91, 47), eu(34, 77, 94, 252), eu(35, 187, 188, 242),
    eu(34, 78, 122, 90), eu(35, 195, 137, 235), eu(130, 211, 108, 156), eu(104, 199, 50, 18),
    eu(34, 78, 44, 80), eu(35, 205, 31, 154),
];

/// Whether Customer.io lists this address, in either region; `::ffff:a.b.c.d` is read as IPv4.
pub fn is_customerio(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ADDRESSES.iter().any(|listed| listed.ip == ip),
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
        let distinct: HashSet<_> = ADDRESSES.iter().map(|a| a.ip).collect();
        assert_eq!(distinct.len(), ADDRESSES.len());
        let in_region = |region| ADDRESSES.iter().filter(|a| a.region == region).count();
        assert_eq!((in_region(Region::Us), in_region(Region::Eu)), (14, 10));
    }
}

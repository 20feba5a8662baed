use hyper::header::HeaderValue;

use super::*;

const KEY: &str = "cio-test-signing-key-0001";
const A: &str = r#"{"event_id":"01KDVA0000000000000000000A","object_type":"email","metric":"bounced","timestamp":1767225590,"data":{"delivery_id":"dgTESTDELIVERY0001","failure_message":"550 5.1.1 user unknown","recipient":"ada@example.test"}}"#;
const A_STAMP: &str = "1767225600";
const A_SIGNATURE: &str = "2ea3e75d9a587eb5bc528339b6a1be2f254cc31bc875fec2cf8d16cb98020118";

fn headers(stamp: &[&str], signature: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = |text: &&str| HeaderValue::from_bytes(text.as_bytes()).unwrap();
    for s in stamp {
        headers.append("X-CIO-Timestamp", value(s));
    }
    for s in signature {
        headers.append("X-CIO-Signature", value(s));
    }
    headers
}

fn keys(texts: &[&str]) -> Keys {
    let secrets: Vec<Secret> = texts.iter().map(|t| Secret::new(*t)).collect();
    Keys::new(&secrets)
}

fn verify(keys: &Keys, stamp: &str, signature: &str, body: &[u8]) -> Result<Authentic, Refused> {
    let mut verifier = keys.begin(&headers(&[stamp], &[signature]))?;
    body.chunks(7).for_each(|chunk| verifier.update(chunk));
    verifier.finish()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| (b as char).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The vendor's known answer (`customerio-node`, `test/webhooks.ts`) and our own, computed with Python's `hmac`.
#[test]
#[rustfmt::skip]
fn every_known_answer_is_authentic() {
    let vendor = br#"{"event_id":"abc","object_type":"email","metric":"delivered"}"#.to_vec();
    let b = "7b0a2020226576656e745f6964223a202230314b4456413030303030303030303030303030303030303042222c0a2020226f626a6563745f74797065223a2022736d73222c0a2020226d6574726963223a20226661696c6564222c0a20202264617461223a207b226661696c7572655f6d657373616765223a20224e756dc3a9726f20696e76616c69646520e2809420e29883227d0a7d0a";
    let d = r#"{"event_type":"email_dropped","event_id":"00aa11bb22cc33dd44ff","timestamp":1767225600,"data":{"customer_id":"u_568","email_address":"ada@example.test","email_id":"ZISYNTH0008"}}"#;
    let long = "k".repeat(100);
    let vectors: [(&str, &str, Vec<u8>, &str); 8] = [
        ("signing-secret", "1614265384", vendor, "6f55cf23f9b73a2ff07733fe04421f64ce9ec5e409696edda6b2a80311944230"),
        (KEY, A_STAMP, A.into(), A_SIGNATURE),
        (KEY, "1767225601", unhex(b), "9b68ee0038f0a6fea1f39e307c11a3abdd92937b8820cc599935341a53e8ddb7"),
        (KEY, "1767225602", vec![], "f3e4bb533a3264e1ba755b05078e39b74e2f2069841415fe1d21474d31341435"),
        ("clé-secrète-ß", "1767225603", d.into(), "30c35ea6d126a7b0e3a97500936e8d003d40f14c136d91273606291912dc2ad9"),
        (KEY, "1767225604", br#"v0:1767225604:{"a":":"}"#.to_vec(), "53f40e0e5d6f60231ad2ae855f7ccb65db064d9f1e9cb220fd45bbd7392dbbf5"),
        (KEY, "1767225605", unhex("7b2278223a22fffe227d"), "367b9528f225533d1a102c7c3ea58527ec0cb657f72dc002dc0676f8e60f0231"),
        (&long, "1767225606", b"{}".to_vec(), "17fa095ae6b8ec1efc57bce70a574cdd5eeed0e111ab91e1293d8170131936f4"),
    ];
    for (key, stamp, body, signature) in vectors {
        assert_eq!(sign(&Secret::new(key), stamp, &body), signature, "{stamp}");
        let authentic = verify(&keys(&["some other key", key]), stamp, signature, &body).unwrap();
        assert_eq!(authentic.head(), body, "{stamp}");
        assert_eq!(authentic.length(), body.len() as u64);
        assert!(authentic.is_whole());
        assert_eq!(authentic.stamp().to_string(), stamp);
        assert_eq!(authentic.key_index(), 1);
        assert_eq!(authentic.sha256(), <[u8; 32]>::from(Sha256::digest(&body)));
    }
}

#[test]
#[rustfmt::skip]
fn what_differs_in_one_thing_matches_no_key() {
    let body = A.as_bytes();
    let mut altered = body.to_vec();
    altered[20] ^= 1;
    let of_body_alone = {
        let mut mac = keyed(KEY.as_bytes());
        mac.update(body);
        mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>()
    };
    let of_stamp_dot_body = {
        let mut mac = keyed(KEY.as_bytes());
        mac.update(format!("{A_STAMP}.{A}").as_bytes());
        mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>()
    };
    let base64_of_body = b"eyJldmVudF9pZCI6IjAxS0RWQTAwMDAifQ==";
    let cases: [(&str, &str, &str, &[u8]); 9] = [
        ("one byte changed", A_STAMP, A_SIGNATURE, &altered),
        ("a byte more", A_STAMP, A_SIGNATURE, &[body, b"\n"].concat()),
        ("time stamp + 1", "1767225601", A_SIGNATURE, body),
        ("time stamp printed otherwise", "01767225600", A_SIGNATURE, body),
        ("body only", A_STAMP, &of_body_alone, body),
        ("time stamp dot body", A_STAMP, &of_stamp_dot_body, body),
        ("a body still in base64", A_STAMP, A_SIGNATURE, base64_of_body),
        ("no body", A_STAMP, A_SIGNATURE, b""),
        ("another signature", A_STAMP, &"0".repeat(64), body),
    ];
    for (what, stamp, signature, body) in cases {
        assert_eq!(verify(&keys(&[KEY]), stamp, signature, body).unwrap_err(), Refused::NoMatch, "{what}");
    }
    let wrong = verify(&keys(&["another key"]), A_STAMP, A_SIGNATURE, body).unwrap_err();
    assert_eq!(wrong, Refused::NoMatch);
}

#[test]
fn upper_case_hex_is_accepted() {
    assert!(verify(&keys(&[KEY]), A_STAMP, &A_SIGNATURE.to_uppercase(), A.as_bytes()).is_ok());
}

#[test]
#[rustfmt::skip]
fn what_is_not_of_the_scheme_is_malformed() {
    let base64 = "LqPnXZpYfrW8UoM5tqG+LyVMwxvIdf7Cz40Wy5gCARg=";
    let prefixed = format!("v0={A_SIGNATURE}");
    let (short, long) = (&A_SIGNATURE[..62], format!("{A_SIGNATURE}00"));
    let odd = &A_SIGNATURE[..63];
    let not_hex = A_SIGNATURE.replace('e', "g");
    let list = format!("{A_SIGNATURE},{A_SIGNATURE}");
    let wide = format!("{}é", &A_SIGNATURE[..62]);
    let signatures: [&[&str]; 11] = [
        &[base64],
        &[&prefixed],
        &[short],
        &[odd],
        &[&long],
        &[&not_hex],
        &[&list],
        &[&wide],
        &[""],
        &[],
        &[A_SIGNATURE, A_SIGNATURE],
    ];
    for case in signatures {
        let refused = keys(&[KEY]).begin(&headers(&[A_STAMP], case)).err();
        assert!(matches!(refused, Some(Refused::Malformed(_))), "{case:?}: {refused:?}");
    }
    let stamps: [&[&str]; 12] = [
        &["1767225600.0"],
        &["-1767225600"],
        &["+1767225600"],
        &[" 1767225600"],
        &["1767225600000"],
        &["1e9"],
        &["0x10"],
        &["2026-01-01T00:00:00Z"],
        &["١٢٣"],
        &[""],
        &[],
        &[A_STAMP, A_STAMP],
    ];
    for case in stamps {
        let refused = keys(&[KEY]).begin(&headers(case, &[A_SIGNATURE])).err();
        assert!(matches!(refused, Some(Refused::Malformed(_))), "{case:?}: {refused:?}");
    }
}

#[test]
fn neither_header_is_unsigned() {
    assert_eq!(keys(&[KEY]).begin(&HeaderMap::new()).err(), Some(Refused::Unsigned));
}

#[test]
fn without_a_key_nothing_is_authentic() {
    let none = keys(&[""]);
    assert!(none.is_empty());
    let signed_with_nothing = sign(&Secret::new(""), A_STAMP, A.as_bytes());
    let refused = verify(&none, A_STAMP, &signed_with_nothing, A.as_bytes()).unwrap_err();
    assert_eq!(refused, Refused::NoMatch);
}

#[test]
fn a_large_body_is_hashed_whole_and_kept_in_part() {
    let body = vec![b'x'; QUARANTINE_BYTES + 100_001];
    let signature = sign(&Secret::new(KEY), "5", &body);
    let mut verifier = keys(&[KEY]).begin(&headers(&["5"], &[&signature])).unwrap();
    body.chunks(65_537).for_each(|chunk| verifier.update(chunk));
    let authentic = verifier.finish().unwrap();
    assert_eq!(authentic.head().len(), QUARANTINE_BYTES);
    assert_eq!(authentic.length(), body.len() as u64);
    assert!(!authentic.is_whole());
    assert_eq!(authentic.sha256(), <[u8; 32]>::from(Sha256::digest(&body)));
}

#[test]
fn nothing_shows_a_key_or_a_body() {
    let authentic = verify(&keys(&[KEY]), A_STAMP, A_SIGNATURE, A.as_bytes()).unwrap();
    assert_eq!(format!("{authentic:?}"), "Authentic { length: 223, stamp: 1767225600, key_index: 0 }");
    assert_eq!(format!("{:?}", keys(&[KEY])), "Keys([SigningKey(...)])");
}

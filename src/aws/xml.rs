//! What is read of CloudFormation's XML, and of the errors of either protocol.

use std::collections::BTreeMap;

use aws_smithy_xml::decode::{Document, ScopedDecoder, try_data};

/// Nesting beyond which an answer is none of ours.
const DEPTH: usize = 32;

/// Keys and values that stand in elements of these names, side by side; `None`: this is no XML.
pub fn pairs(xml: &str, key: &str, value: &str) -> Option<BTreeMap<String, String>> {
    let found = texts(xml, &[key, value])?;
    let mut pairs = BTreeMap::new();
    let mut last = None;
    for (name, text) in found {
        match last.take() {
            _ if name == key => last = Some(text),
            Some(key) => {
                pairs.insert(key, text);
            }
            None => {}
        }
    }
    Some(pairs)
}

/// An error's code, in XML or JSON; only what looks like one.
pub fn code(body: &str) -> Option<String> {
    let xml = || texts(body, &["Code"])?.into_iter().next().map(|(_, text)| text);
    let json = || {
        let body: serde_json::Value = serde_json::from_str(body).ok()?;
        let code = ["Code", "code", "__type"].into_iter().find_map(|name| body.get(name)?.as_str());
        code.map(str::to_owned)
    };
    let code = if body.trim_start().starts_with('<') { xml() } else { json() };
    code.filter(|code| (1..=80).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'))
}

/// The texts of all elements of these names, in their order.
pub fn texts(xml: &str, wanted: &[&str]) -> Option<Vec<(String, String)>> {
    let mut document = Document::new(xml);
    let mut root = document.root_element().ok()?;
    let mut found = Vec::new();
    walk(&mut root, wanted, DEPTH, &mut found)?;
    Some(found)
}

fn walk(
    node: &mut ScopedDecoder<'_, '_>,
    wanted: &[&str],
    depth: usize,
    found: &mut Vec<(String, String)>,
) -> Option<()> {
    let below = depth.checked_sub(1)?;
    while let Some(mut tag) = node.next_tag() {
        let name = tag.start_el().local().to_owned();
        if wanted.contains(&name.as_str()) {
            found.push((name, try_data(&mut tag).ok()?.into_owned()));
        } else {
            walk(&mut tag, wanted, below, found)?;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Source: the example of DescribeStacks in CloudFormation's API reference, cut.
    const DESCRIBED: &str = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
      <DescribeStacksResult><Stacks><member><StackName>MyStack</StackName><Outputs>
        <member><OutputKey>TableName</OutputKey><OutputValue>t&amp;1</OutputValue><Description>x</Description></member>
        <member><Description>y</Description><OutputKey>StartPage</OutputKey><OutputValue>http://a</OutputValue></member>
      </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"#;

    #[test]
    fn outputs_are_read_by_their_keys() {
        let pairs = pairs(DESCRIBED, "OutputKey", "OutputValue").expect("XML");
        let shown: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(shown, ["StartPage=http://a", "TableName=t&1"]);
        assert_eq!(super::pairs("no XML", "OutputKey", "OutputValue"), None);
    }

    #[test]
    fn of_an_error_only_the_code_is_kept() {
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>m</Message></Error></ErrorResponse>";
        assert_eq!(code(xml).as_deref(), Some("ValidationError"));
        assert_eq!(
            code(r#"{"Message":"User: arn","Code":"AccessDeniedException"}"#).as_deref(),
            Some("AccessDeniedException")
        );
        for body in ["", "<a", "{}", r#"{"Code":"ada@example.com"}"#] {
            assert_eq!(code(body), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(text in "[<>/a-cC&;\"= {}:]{0,60}") {
            let _ = (code(&text), pairs(&text, "a", "b"));
        }
    }
}

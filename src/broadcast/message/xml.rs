//! XML of strangers: no document type, few nodes, looked at by local names.

use roxmltree::{Document, Node, ParsingOptions};

use super::Unread;

/// Most nodes of a document.
const MAX_NODES: u32 = 4000;

/// Parses a document.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Unread> {
    let options =
        ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    Document::parse_with_options(text, options)
        .map_err(|error| Unread::malformed(format!("it is no XML that is taken: {error}")))
}

/// The children of that name.
pub(super) fn children<'a, 'i>(
    node: Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The first child of that name.
pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// The text of the first child of that name, trimmed; `None` when it is empty.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &'static str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}

/// The same of a child that must be there.
pub(super) fn required<'a>(node: Node<'a, '_>, name: &'static str) -> Result<&'a str, Unread> {
    let inside = node.tag_name().name();
    text(node, name).ok_or_else(|| Unread::malformed(format!("<{inside}> has no <{name}>")))
}

/// Text as it stands between two tags.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

//! What a message is and says, from its text alone.

/// Kind and content of a message from its debug text: `Append(Append { term: Term(3) })` is an
/// `append` that says `term: 3`.
pub(super) fn of_debug(text: &str) -> (String, String) {
    let text = plain(text);
    let (name, mut rest) = text.split_at(word(&text));
    let kind = kebab(name);
    // A variant that wraps a struct says its content in the struct's braces.
    if let Some(inside) = rest.strip_prefix('(') {
        let inside = inside.strip_suffix(')').unwrap_or(inside);
        rest = &inside[word(inside)..];
    }
    (kind_or_message(kind), within_braces(rest).to_owned())
}

/// The same from the beginning of a frame as hosts write it: a checksum, then
/// `{"from":1,"message":{"type":"append","term":3}}`.
pub(super) fn of_json(head: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(head);
    let Some((_, message)) = text.split_once("\"message\":") else {
        return (kind_or_message(String::new()), text.into_owned());
    };
    // Of one whose end is cut off, the braces are as well.
    let whole = message.strip_suffix("}}").unwrap_or(message).replace('"', "");
    let content = whole.strip_prefix('{').unwrap_or(&whole);
    let (kind, rest) = match content.strip_prefix("type:") {
        Some(tagged) => tagged.split_once(',').unwrap_or((tagged, "")),
        None => content.split_once(':').unwrap_or((content, "")),
    };
    (kind_or_message(kebab(kind)), within_braces(rest).to_owned())
}

fn kind_or_message(kind: String) -> String {
    if kind.is_empty() { "message".to_owned() } else { kind }
}

/// The length of the identifier that a text begins with.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

fn within_braces(text: &str) -> &str {
    let text = text.trim();
    let inside = text.strip_prefix('{').map_or(text, |rest| rest.strip_suffix('}').unwrap_or(rest));
    inside.trim()
}

/// `PreVoteReply` is `pre-vote-reply`.
fn kebab(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars().take_while(|c| c.is_alphanumeric() || "-_".contains(*c)) {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Debug text with newtypes of numbers taken for their numbers: `Term(3)` is `3`, `NodeId(2)` is
/// `n2`.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('(') {
        let (before, inside) = rest.split_at(open);
        let word =
            before.len() - before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len();
        let number = inside[1..].find(')').map(|close| &inside[1..=close]);
        match number {
            Some(number)
                if word > 0 && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) =>
            {
                let (kept, name) = before.split_at(before.len() - word);
                out.push_str(kept);
                if name == "NodeId" {
                    out.push('n');
                } else if name == "Some" || name == "Number" {
                    // The number says it all.
                } else if !matches!(name, "Term" | "Index") {
                    out.push_str(name);
                    out.push(' ');
                }
                out.push_str(number);
                rest = &inside[number.len() + 2..];
            }
            _ => {
                out.push_str(before);
                out.push('(');
                rest = &inside[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_plainly() {
        let text = "Vote(Ballot { term: Term(2), last: Index(0), vote: Some(NodeId(3)), x: () })";
        assert_eq!(plain(text), "Vote(Ballot { term: 2, last: 0, vote: Some(n3), x: () })");
        assert_eq!(plain("Boot(7) and (8)"), "Boot 7 and (8)");
        assert_eq!(plain("(("), "((");
    }

    #[test]
    fn kinds_and_contents_are_told_apart() {
        let told = |(kind, text): (String, String)| format!("{kind} | {text}");
        for (debug, expected) in [
            (
                "AppendReply(AppendReply { term: Term(3), round: 7 })",
                "append-reply | term: 3, round: 7",
            ),
            ("Install { term: Term(2), round: 1 }", "install | term: 2, round: 1"),
            ("Append(Append { term: Term(3), entr\u{2026}", "append | term: 3, entr\u{2026}"),
            ("Ping", "ping | "),
            ("Gossip(7)", "gossip | 7"),
            ("\"text\"", "message | \"text\""),
            ("", "message | "),
        ] {
            assert_eq!(told(of_debug(debug)), expected, "{debug}");
        }
        for (json, expected) in [
            (
                r#"{"from":1,"message":{"type":"append","term":3,"entries":[]}}"#,
                "append | term:3,entries:[]",
            ),
            (r#"{"from":1,"message":{"type":"append","term":3,"entr"#, "append | term:3,entr"),
            (r#"{"from":1,"message":{"Gossip":{"a":1}}}"#, "gossip | a:1"),
            (r#"{"from":1,"message":"Ping"}"#, "ping | "),
            ("\u{1}\u{2}", "message | \u{1}\u{2}"),
        ] {
            assert_eq!(told(of_json(json.as_bytes())), expected, "{json}");
        }
    }
}

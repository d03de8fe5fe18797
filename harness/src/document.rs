//! A page that is one file and needs nothing but itself: its style and its scripts are part of it,
//! and its policy allows these and nothing else.

use crate::report::embed;
use crate::text;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What a page is made of.
pub(crate) struct Document<'a> {
    /// As it is shown; whatever it holds is text.
    pub(crate) title: &'a str,
    /// The version that made it.
    pub(crate) version: &'a str,
    /// Its style, as it is.
    pub(crate) style: &'a str,
    /// Its script, as it is; without one, none is allowed.
    pub(crate) script: Option<&'a str>,
    /// All that is seen.
    pub(crate) body: &'a Markup,
}

/// The page.
pub(crate) fn render(document: &Document<'_>) -> String {
    let scripts = document
        .script
        .map_or_else(String::new, |script| format!("script-src {}; ", embed::csp_hash(script)));
    let policy = format!(
        "default-src 'none'; style-src {}; {scripts}img-src data:; base-uri 'none'; \
         form-action 'none'",
        embed::csp_hash(document.style)
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content={ "quorate " (text::label(document.version)) };
                title { (text::visible(document.title)) }
                link rel="icon" href="data:,";
                style { (PreEscaped(document.style)) }
            }
            body {
                (document.body)
                @if let Some(script) = document.script { script { (PreEscaped(script)) } }
            }
        }
    }
    .into_string()
}

//! A failure's text, read once: its words, and the codes of each protocol where that protocol puts them.

/// Characters of a text that are read; what matters stands at its beginning.
const READ_CHARS: usize = 1_000;

/// A text prepared for matching.
pub struct Text<'a> {
    /// Lower case words with one space between, and one at either end.
    words: String,
    /// The same of each part between semicolons: a push joins the texts of its devices so.
    parts: Vec<String>,
    tokens: Vec<Token<'a>>,
}

/// A run of letters, digits and `_`, with the dots between digits (`5.1.1` is one).
#[derive(Clone, Copy, Debug)]
struct Token<'a> {
    text: &'a str,
    /// What stands right before it, and right behind it.
    after: Option<char>,
    before: Option<char>,
}

impl<'a> Text<'a> {
    /// Reads a text, of which the first thousand characters count.
    pub fn of(text: &'a str) -> Self {
        let end = text.char_indices().nth(READ_CHARS).map_or(text.len(), |(at, _)| at);
        let text = text.get(..end).unwrap_or_default();
        Self { words: words(text), parts: text.split(';').map(words).collect(), tokens: tokens(text) }
    }

    /// Whether it has this run of words, given in lower case with one space between.
    pub fn says(&self, phrase: &str) -> bool {
        whole(&self.words, phrase).is_some()
    }

    /// Whether it, or one of its parts between semicolons, is this run of words and nothing else.
    pub fn is(&self, phrase: &str) -> bool {
        self.parts.iter().any(|part| part.trim() == phrase)
    }

    /// Whether it ends with this run of words.
    pub fn ends(&self, phrase: &str) -> bool {
        let before = self.words.trim_end().strip_suffix(phrase);
        before.is_some_and(|before| before.ends_with(' '))
    }

    /// Whether it begins with the first run of words and has the second one behind it.
    pub fn begins(&self, first: &str, second: &str) -> bool {
        let behind = self.words.trim_start().strip_prefix(first).filter(|rest| rest.starts_with(' '));
        behind.is_some_and(|rest| whole(rest, second).is_some())
    }

    /// The SMTP reply code: the first thing in the text, or in what the other server `said:`.
    pub fn reply(&self) -> Option<&'a str> {
        let is_code = |t: &&Token| t.text.len() == 3 && t.text.starts_with(['4', '5']) && is_number(t.text);
        let said = self.tokens.windows(2).find_map(|pair| match pair {
            [before, code] if matches!(before.text, "said" | "smtp" | "status") => Some(code).filter(is_code),
            _ => None,
        });
        self.tokens.first().filter(is_code).or(said).map(|t| t.text)
    }

    /// The SMTP enhanced status code: behind a reply code or a name for it, at the beginning, or in `(#5.1.1)`. A
    /// version or an IP address anywhere else is none.
    pub fn enhanced(&self) -> Option<&'a str> {
        let is_reply = |t: &Token| t.text.len() == 3 && t.text.starts_with(['4', '5']) && is_number(t.text);
        let mut before: Option<&Token> = None;
        for token in &self.tokens {
            let named = match before {
                None => true,
                Some(b) => is_reply(b) || ["dsn", "status", "code"].iter().any(|n| b.text.eq_ignore_ascii_case(n)),
            };
            if is_enhanced(token.text) && (named || token.after == Some('#')) {
                return Some(token.text);
            }
            before = Some(token);
        }
        None
    }

    /// Five-digit numbers that are called an error or a code, are the whole text, or end it in brackets.
    pub fn twilio(&self) -> Vec<&'a str> {
        const NAMES: [&str; 4] = ["error", "errors", "code", "errorcode"];
        let is_number = |t: &Token| t.text.len() == 5 && is_number(t.text);
        if let [only] = self.tokens.as_slice() {
            return Some(only.text).filter(|_| is_number(only)).into_iter().collect();
        }
        let named = self.tokens.windows(2).filter_map(|pair| match pair {
            [name, number] if is_number(number) => {
                NAMES.iter().any(|n| name.text.eq_ignore_ascii_case(n)).then_some(number.text)
            }
            _ => None,
        });
        let in_brackets = |t: &&Token| is_number(t) && (t.after, t.before) == (Some('('), Some(')'));
        named.chain(self.tokens.last().filter(in_brackets).map(|t| t.text)).collect()
    }

    /// The status of a text that begins like `HTTP 404 Not Found` or `HTTP/1.1 404 Not Found`.
    pub fn http(&self) -> Option<u16> {
        let is_version = |t: &Token| t.after == Some('/') && matches!(t.text, "1.0" | "1.1" | "2" | "2.0" | "3");
        match self.tokens.as_slice() {
            [http, version, status, ..] if http.text.eq_ignore_ascii_case("http") && is_version(version) => {
                Some(status.text).filter(|status| status.len() == 3)?.parse().ok()
            }
            [http, status, ..] if http.text.eq_ignore_ascii_case("http") && status.text.len() == 3 => {
                status.text.parse().ok()
            }
            _ => None,
        }
    }
}

/// Lower case words with one space between, and one at either end.
fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    // "doesn't" is one word, as in "recipient's".
    for c in text.chars().filter(|c| !matches!(c, '\'' | '’')).flat_map(char::to_lowercase) {
        match c.is_alphanumeric() || c == '_' {
            true => words.push(c),
            false if words.ends_with(' ') => {}
            false => words.push(' '),
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

/// Where `phrase` stands as whole words in `words`, which has a space at either end of each word.
fn whole(words: &str, phrase: &str) -> Option<usize> {
    let ends = |at: usize, length: usize| {
        let before = words.get(..at).is_some_and(|b| b.is_empty() || b.ends_with(' '));
        before && words.get(at + length..).is_some_and(|after| after.starts_with(' '))
    };
    words.match_indices(phrase).map(|(at, _)| at).find(|at| ends(*at, phrase.len()))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `class.subject.detail` of RFC 3463, of a failure.
fn is_enhanced(text: &str) -> bool {
    let mut parts = text.split('.');
    let short = |part: Option<&str>| part.is_some_and(|p| is_number(p) && p.len() <= 3);
    matches!(parts.next(), Some("4" | "5")) && short(parts.next()) && short(parts.next()) && parts.next().is_none()
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start: Option<(usize, Option<char>)> = None;
    let mut before = None;
    for (at, c) in text.char_indices() {
        let next_is_digit = || text.get(at + 1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let inside = c.is_alphanumeric()
            || c == '_'
            || c == '.' && before.is_some_and(|b: char| b.is_ascii_digit()) && next_is_digit();
        match (inside, start) {
            (true, None) => start = Some((at, before)),
            (false, Some((from, after))) => {
                tokens.push(Token { text: text.get(from..at).unwrap_or_default(), after, before: Some(c) });
                start = None;
            }
            _ => {}
        }
        before = Some(c);
    }
    if let Some((from, after)) = start {
        tokens.push(Token { text: text.get(from..).unwrap_or_default(), after, before: None });
    }
    tokens
}

//! Messages in Chinese: the texts of the library, with their figures, by the table `messages_zh.tsv` (English, tab,
//! Chinese; `{}` stands for a figure or a name). A text that the table does not know stays English: nothing is lost.

/// One text: the parts between its figures.
struct Pattern {
    parts: Vec<&'static str>,
    zh: &'static str,
}

/// The table.
pub struct Messages {
    patterns: Vec<Pattern>,
}

impl Messages {
    /// The compiled-in table, the texts with most letters first: they say more than those that fit anything.
    pub fn builtin() -> Self {
        let mut patterns: Vec<Pattern> = include_str!("messages_zh.tsv")
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(en, zh)| Pattern {
                parts: en.split("{}").collect(),
                zh,
            })
            .collect();
        patterns.sort_by_key(|p| {
            std::cmp::Reverse(p.parts.iter().map(|part| part.len()).sum::<usize>())
        });
        Messages { patterns }
    }

    /// The Chinese of a text, or the text.
    pub fn translate(&self, text: &str) -> String {
        self.patterns
            .iter()
            .find_map(|p| figures(&p.parts, text).map(|f| fill(p.zh, &f)))
            .unwrap_or_else(|| text.to_owned())
    }
}

/// What stands between the parts, if the text is made of them in order.
fn figures<'t>(parts: &[&str], text: &'t str) -> Option<Vec<&'t str>> {
    let (first, rest) = parts.split_first()?;
    let mut left = text.strip_prefix(first)?;
    let mut found = Vec::new();
    for (i, part) in rest.iter().enumerate() {
        let at = if i + 1 == rest.len() {
            // The last part ends the text; an empty one takes all that is left.
            left.ends_with(part).then(|| left.len() - part.len())?
        } else {
            left.find(part).filter(|_| !part.is_empty())?
        };
        found.push(&left[..at]);
        left = &left[at + part.len()..];
    }
    left.is_empty().then_some(found)
}

fn fill(zh: &str, figures: &[&str]) -> String {
    let mut parts = zh.split("{}");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (part, figure) in parts.zip(figures) {
        out.push_str(figure);
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_carried_over_and_unknown_texts_stay() {
        assert_eq!(
            figures(&["a number of ", " to ", ""], "a number of 3 to 7.5"),
            Some(vec!["3", "7.5"])
        );
        assert_eq!(figures(&["", " bands"], "12 bands"), Some(vec!["12"]));
        assert_eq!(figures(&["exactly"], "exactly not"), None);
        assert_eq!(fill("{}至{}的数", &["3", "7.5"]), "3至7.5的数");
        assert_eq!(
            Messages::builtin().translate("no such text"),
            "no such text"
        );
    }

    /// Every line has a translation with as many figures as the text.
    #[test]
    fn the_table_is_whole() {
        let lines: Vec<&str> = include_str!("messages_zh.tsv").lines().collect();
        assert!(lines.len() > 80);
        for (n, line) in lines.iter().enumerate() {
            let (en, zh) = line.split_once('\t').expect("two columns");
            let count = |s: &str| s.matches("{}").count();
            assert!(
                !zh.is_empty() && count(en) == count(zh),
                "line {}: {line}",
                n + 1
            );
            assert!(
                en.replace("{}", "").trim().len() > 1,
                "line {} fits anything",
                n + 1
            );
        }
    }
}

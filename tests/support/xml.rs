//! XML as tests need it: elements, attributes and text of well-formed files that we chose ourselves. No namespaces.

/// An element with all that stands inside.
#[derive(Debug, Default)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub content: Vec<Content>,
}

#[derive(Debug)]
pub enum Content {
    Element(Element),
    Text(String),
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    pub fn children<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.elements().filter(move |element| element.name == name)
    }

    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|element| element.name == name)
    }

    /// All elements of a name, at any depth.
    pub fn below<'e>(&'e self, name: &str) -> Vec<&'e Element> {
        let inner = self.elements().flat_map(|element| element.below(name));
        self.elements().filter(|element| element.name == name).chain(inner).collect()
    }

    pub fn text(&self) -> String {
        let texts = self.content.iter().map(|content| match content {
            Content::Text(text) => text.as_str(),
            Content::Element(_) => "",
        });
        texts.collect()
    }
}

/// Reads a document; gives its root.
pub fn parse(text: &str) -> Element {
    let mut open = vec![Element::default()];
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        push_text(&mut open, &unescaped(&rest[..at]));
        rest = &rest[at..];
        rest = markup(rest, &mut open);
    }
    let root = open.swap_remove(0);
    root.content
        .into_iter()
        .find_map(|content| if let Content::Element(root) = content { Some(root) } else { None })
        .unwrap()
}

/// Takes what begins with `<`, and gives what stands behind it.
fn markup<'t>(rest: &'t str, open: &mut Vec<Element>) -> &'t str {
    for (start, end) in [("<!--", "-->"), ("<?", "?>"), ("<!D", ">")] {
        if rest.starts_with(start) {
            return &rest[rest.find(end).unwrap() + end.len()..];
        }
    }
    if let Some(data) = rest.strip_prefix("<![CDATA[") {
        let end = data.find("]]>").unwrap();
        push_text(open, &data[..end]);
        return &data[end + 3..];
    }
    let end = rest.find('>').unwrap();
    let tag = &rest[1..end];
    if tag.starts_with('/') {
        close(open);
    } else {
        open.push(element(tag.trim_end_matches('/')));
        if tag.ends_with('/') {
            close(open);
        }
    }
    &rest[end + 1..]
}

fn close(open: &mut Vec<Element>) {
    let done = open.pop().unwrap();
    open.last_mut().unwrap().content.push(Content::Element(done));
}

fn push_text(open: &mut [Element], text: &str) {
    if !text.is_empty() {
        open.last_mut().unwrap().content.push(Content::Text(text.to_owned()));
    }
}

fn element(tag: &str) -> Element {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut attributes = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().unwrap();
        let (value, behind) = after[1..].split_once(quote).unwrap();
        attributes.push((name.trim().to_owned(), unescaped(value)));
        rest = behind;
    }
    Element { name: name.to_owned(), attributes, content: Vec::new() }
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&#39;", "'").replace("&#xa;", "\n").replace("&amp;", "&")
}

//! Where a walk through a resource stands: links on the stack, made into text only when there is something to say.

/// One step; the steps of a walk are linked from leaf to root.
#[derive(Clone, Copy)]
pub struct Path<'p> {
    up: Option<&'p Path<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root(&'p str),
    Name(&'p str),
    Index(usize),
    OfType(&'p str),
}

impl<'p> Path<'p> {
    /// A walk begins at a resource: its type, or its place in a Bundle.
    pub fn root(at: &'p str) -> Path<'p> {
        Path { up: None, step: Step::Root(at) }
    }

    pub fn name<'q>(&'q self, name: &'q str) -> Path<'q> {
        Path { up: Some(self), step: Step::Name(name) }
    }

    pub fn index(&self, n: usize) -> Path<'_> {
        Path { up: Some(self), step: Step::Index(n) }
    }

    pub fn of_type<'q>(&'q self, name: &'q str) -> Path<'q> {
        Path { up: Some(self), step: Step::OfType(name) }
    }

    /// As FHIRPath, with names as they stand in JSON (`servicedDate`, which FHIRPath itself calls `serviced`):
    /// `Claim.item[2].net.value`.
    pub fn text(&self) -> String {
        let mut out = self.up.map(Path::text).unwrap_or_default();
        match self.step {
            Step::Root(at) => out.push_str(at),
            Step::Name(name) => {
                out.push('.');
                out.push_str(name);
            }
            Step::Index(n) => out.push_str(&format!("[{n}]")),
            Step::OfType(name) => out.push_str(&format!(".ofType({name})")),
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn reads_as_fhirpath() {
        let root = Path::root("Claim");
        let list = root.name("contained");
        let item = list.index(2);
        let value = item.of_type("Coverage");
        assert_eq!(value.name("status").text(), "Claim.contained[2].ofType(Coverage).status");
    }
}

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
    Resolve,
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

    /// The resource that the Reference here points to.
    pub fn resolve(&self) -> Path<'_> {
        Path { up: Some(self), step: Step::Resolve }
    }

    /// As FHIRPath: `Claim.item[2].net.value`.
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
            Step::Resolve => out.push_str(".resolve()"),
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
        let list = root.name("supportingInfo");
        let item = list.index(2);
        let value = item.name("value");
        assert_eq!(
            value.of_type("Quantity").name("unit").text(),
            "Claim.supportingInfo[2].value.ofType(Quantity).unit"
        );
        assert_eq!(root.name("patient").resolve().text(), "Claim.patient.resolve()");
    }
}

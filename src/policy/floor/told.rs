//! What the floor asks of one route, for whoever wants to know what takes effect.

use super::{Floor, Limit, Placed};
use crate::{
    json::Node,
    policy::{Route, flow::flow},
};

impl Floor {
    /// Of each value of the floor that is about a route that compiles, whether it holds, and what lifts it.
    pub(in crate::policy) fn told(
        &self,
        route: &Route,
        node: Option<&Node>,
        line: impl Fn(&Node) -> String,
    ) -> Vec<String> {
        let exception = node.and_then(|node| node.find("/exception"));
        let members = exception.into_iter().flat_map(Node::members);
        let mut said: Vec<_> = members.filter(|(name, _)| !matches!(name.as_str(), "from" | "until")).collect();
        said.sort_by_key(|(_, node)| node.at.start);
        let said: String = said.iter().map(|(name, node)| format!(", {name} {}", flow(&node.to_value()))).collect();
        let until = exception.and_then(|exception| exception.find("/until")?.text()).unwrap_or_default();
        let own = Limit::of(route);
        let about = |limit: &Limit| limit.is_broken_by(route) || own.iter().any(|own| own.word() == limit.word());
        let each = self.limits.iter().filter(|placed| about(&placed.limit)).map(|Placed { limit, line: floor }| {
            let value = format!("{} {}", limit.word(), limit.to_string().replace('`', ""));
            match exception.filter(|_| limit.is_broken_by(route)) {
                Some(exception) => {
                    format!(
                        "floor: {value} ({floor}), lifted until {until} by the exception at {}{said}",
                        line(exception)
                    )
                }
                None => format!("floor: {value} ({floor}), holds"),
            }
        });
        each.collect()
    }
}

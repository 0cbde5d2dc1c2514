//! Settings to choose from: every combination of the listed values.

/// One combination: names and values.
pub type Point = Vec<(String, String)>;

/// All combinations, the last name changing fastest; one without a name where nothing is listed.
pub fn points(lists: &[(String, Vec<String>)]) -> Vec<Point> {
    let begin = vec![Point::new()];
    lists.iter().fold(begin, |points, (name, values)| {
        let each = |point: &Point| {
            let with = |value: &String| {
                let mut point = point.clone();
                point.push((name.clone(), value.clone()));
                point
            };
            values.iter().map(with).collect::<Vec<_>>()
        };
        points.iter().flat_map(each).collect()
    })
}

/// `a = 1, b = 2`, or `the defaults`.
pub fn name(point: &Point) -> String {
    if point.is_empty() {
        return "the defaults".to_owned();
    }
    point.iter().map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_there_once_in_a_fixed_order() {
        let list = |name: &str, values: &[&str]| {
            (name.to_owned(), values.iter().map(|it| (*it).to_owned()).collect())
        };
        let found = points(&[list("mode", &["add", "mul"]), list("scale", &["0.1", "0.5"])]);
        let names: Vec<String> = found.iter().map(name).collect();
        assert_eq!(
            names,
            [
                "mode = add, scale = 0.1",
                "mode = add, scale = 0.5",
                "mode = mul, scale = 0.1",
                "mode = mul, scale = 0.5"
            ]
        );
        assert_eq!(points(&[]).iter().map(name).collect::<Vec<_>>(), ["the defaults"]);
    }
}

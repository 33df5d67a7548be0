//! Every method of every double is one that Apple's class has, with the same types: against `facts/ane-selectors.md`.

#[path = "../common/selectors.rs"]
mod table;

use mil_apple::objc::probe;
use table::same;

/// Methods of every object, which doubles override.
const EVERY: [&str; 2] = ["-dealloc", "+allocWithZone:"];

#[test]
fn doubles_have_the_methods_and_types_of_apples_classes() {
    let Some((methods, classes)) = table::known() else { return };
    let (mut compared, mut wrong) = (0, Vec::new());
    for class in classes.iter().filter(|c| c.starts_with("_ANE")) {
        // A class of the table that no experiment needs has no double.
        let Ok(lines) = probe::dump(class) else { continue };
        for line in lines {
            let (method, types) = line.split_once("] ").unwrap();
            let bare = method.replace(&format!("[{class} "), "");
            if EVERY.contains(&bare.as_str()) {
                continue;
            }
            compared += 1;
            let double = probe::normal(types);
            match methods.get(&format!("{method}]")) {
                Some(known) if same(known, &double) => {}
                Some(known) => wrong.push(format!("{method}] is {double} and should be {known}")),
                None => wrong.push(format!("{method}] is in no table")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 250, "only {compared} methods were compared");
}

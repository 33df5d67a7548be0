//! Every card is complete, and its page is read as it is meant.

use mil_lab::{Is, Where, in_order};
use std::collections::BTreeSet;

#[test]
fn every_card_has_everything() {
    let mut ids = BTreeSet::new();
    for card in in_order() {
        let (id, page) = (card.id, card.page());
        assert!(ids.insert(id.to_ascii_lowercase()), "{id} stands twice");
        assert!(!card.title.is_empty(), "{id} has no title");
        assert!(card.page.starts_with(&format!("# {id}")), "the page of {id} opens with another name");
        assert!(page.strange.is_empty(), "{id}: {:?}", page.strange);
        let parts = [&page.question, &page.steps, &page.saw_words, &page.corrected, &page.sure];
        assert!(parts.iter().all(|p| !p.is_empty()), "{id} lacks a part: {page:?}");
        let sure = ["High", "Medium", "Low"].iter().any(|s| page.sure.starts_with(s));
        assert!(sure, "{id}: how sure? {}", page.sure);
        assert!(!page.sources.is_empty(), "{id} has no source");
        assert!(!page.sources.iter().any(String::is_empty));
    }
    assert!(ids.len() >= 8);
}

#[test]
fn every_card_requires_something_on_either_ground() {
    for card in in_order() {
        let rows = card.page().repeated;
        for other in [Where::Machine, Where::Double] {
            assert!(rows.iter().any(|r| r.at != other), "{} requires nothing", card.id);
        }
        let decides = |is: &Is| !matches!(is, Is::Any);
        assert!(rows.iter().any(|r| decides(&r.is)), "{} accepts anything", card.id);
    }
}

#[test]
fn the_order_is_that_of_the_research() {
    let ids: Vec<&str> = in_order().iter().map(|c| c.id).collect();
    let place = |id: &str| ids.iter().position(|i| *i == id);
    assert!(place("X1") < place("Y1") && place("Y1") < place("Z1"), "{ids:?}");
}

#[test]
fn z1_says_where_it_ran() {
    let text = mil_lab::show(mil_lab::find("z1").unwrap());
    for words in ["It almost surely ran on the CPU", "sequential fp16", "dX difference from float operands"] {
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn without_a_bridge_running_says_what_to_do() {
    if mil_lab::here().is_some() {
        println!("skipped: there is a bridge");
        return;
    }
    let error = mil_lab::run::run(mil_lab::find("Z1").unwrap(), &Default::default()).unwrap_err();
    assert!(error.contains("--features doubles"), "{error}");
}

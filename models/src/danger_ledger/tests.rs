//! The state machine by table, on paper, and by random walks.

use super::*;
use proptest::prelude::*;
use std::path::Path;

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

fn facts(unit: &str, level: u8) -> Facts {
    Facts {
        name: "坡脚民房".into(),
        kind: "danger-site".into(),
        hazard: "geology".into(),
        unit: unit.into(),
        level,
        people: Some(12.0),
        ..Facts::default()
    }
}

fn step(item: &str, action: &str, on: &str, by: &str) -> Step {
    Step {
        item: item.into(),
        action: action.into(),
        on: Some(date(on)),
        by: by.into(),
        ..Step::default()
    }
}

/// A step with everything that any transition needs.
fn whole(item: &str, action: &str, on: &str, by: &str) -> Step {
    let rules = LedgerRules::builtin();
    let needs = rules
        .transition(action)
        .map(|t| t.needs.clone())
        .unwrap_or_default();
    let later = needs.contains(&Need::LaterDeadline);
    Step {
        reason: "现场核查".into(),
        evidence: "照片3张".into(),
        responsible: "王五".into(),
        deadline: later.then(|| date(on).plus_days(4000)),
        facts: (action == "register").then(|| facts("330702", 2)),
        ..step(item, action, on, by)
    }
}

/// Steps that lead to a state.
fn path_to(state: &str) -> &'static [&'static str] {
    match state {
        "registered" => &["register"],
        "assessed" => &["register", "assess"],
        "listed" => &["register", "assess", "list"],
        "treated" => &["register", "assess", "list", "treat"],
        "extended" => &["register", "assess", "list", "treat", "extend"],
        "submitted" => &["register", "assess", "list", "treat", "submit"],
        "returned" => &["register", "assess", "list", "treat", "submit", "return"],
        "cancelled" => &["register", "assess", "list", "treat", "submit", "cancel"],
        "dismissed" => &["register", "dismiss"],
        other => panic!("no path to {other}"),
    }
}

fn ledger_at(state: &str) -> DangerLedger {
    let mut ledger = DangerLedger::new(LedgerRules::builtin(), "应急局");
    for (n, action) in path_to(state).iter().enumerate() {
        let by = if *action == "cancel" {
            "李四"
        } else {
            "张三"
        };
        ledger
            .apply(whole("A1", action, &format!("2026-01-{:02}", n + 1), by))
            .unwrap();
    }
    ledger
}

/// Every pair of state and transition: those that this table allows lead where it says, all others are refused.
#[test]
fn every_pair_of_state_and_transition() {
    let allowed = [
        ("registered", "assess", "assessed"),
        ("registered", "dismiss", "dismissed"),
        ("assessed", "list", "listed"),
        ("assessed", "dismiss", "dismissed"),
        ("listed", "treat", "treated"),
        ("listed", "extend", "extended"),
        ("treated", "extend", "extended"),
        ("treated", "submit", "submitted"),
        ("extended", "extend", "extended"),
        ("extended", "submit", "submitted"),
        ("submitted", "return", "returned"),
        ("submitted", "cancel", "cancelled"),
        ("returned", "treat", "treated"),
        ("returned", "extend", "extended"),
        ("cancelled", "reopen", "registered"),
        ("dismissed", "reopen", "registered"),
    ];
    let rules = LedgerRules::builtin();
    for state in &rules.states {
        for t in &rules.transitions {
            let mut ledger = ledger_at(&state.code);
            assert_eq!(ledger.state("A1"), Some(state.code.as_str()));
            let before = ledger.clone();
            let mut wanted = whole("A1", &t.code, "2026-02-01", "李四");
            if wanted.deadline.is_some() {
                wanted.deadline = Some(date("2049-01-01"));
            }
            let result = ledger.apply(wanted).cloned();
            let to = allowed
                .iter()
                .find(|a| a.0 == state.code && a.1 == t.code)
                .map(|a| a.2);
            match (result, to) {
                (Ok(entry), Some(to)) => assert_eq!(entry.to, to),
                (Err(refusal), None) => {
                    assert_eq!(refusal.rule, format!("transition {}", t.code));
                    assert_eq!(
                        refusal.found,
                        format!("state {} ({})", state.code, state.zh)
                    );
                    assert_eq!(ledger, before, "a refused step leaves no trace");
                }
                (result, to) => panic!("{} + {}: {result:?}, table {to:?}", state.code, t.code),
            }
        }
    }
}

#[test]
fn needs_are_refused_one_by_one() {
    // Without a person named on the way, so that listing misses one.
    let bare = |actions: &[&str]| {
        let mut ledger = DangerLedger::new(LedgerRules::builtin(), "应急局");
        for action in actions {
            let mut step = whole("A1", action, "2026-01-01", "张三");
            if *action != "list" {
                step.responsible.clear();
            }
            ledger.apply(step).unwrap();
        }
        ledger
    };
    for (path, action, found) in [
        (&["register"][..], "assess", "no reason"),
        (&["register", "assess"], "list", "nobody responsible"),
        (&["register", "assess", "list"], "extend", "no reason"),
        (
            &["register", "assess", "list", "treat"],
            "submit",
            "no evidence",
        ),
        (
            &["register", "assess", "list", "treat", "submit"],
            "return",
            "no reason",
        ),
        (
            &["register", "assess", "list", "treat", "submit"],
            "cancel",
            "no evidence",
        ),
        (&["register"], "dismiss", "no reason"),
    ] {
        let e = bare(path)
            .apply(step("A1", action, "2026-02-01", "李四"))
            .unwrap_err();
        assert_eq!(e.found, found, "{action}");
        assert_eq!(e.rule, format!("transition {action}"));
    }
    let mut undated = whole("A1", "assess", "2026-02-01", "李四");
    undated.on = None;
    assert_eq!(
        bare(&["register"]).apply(undated).unwrap_err().found,
        "no date"
    );
    let e = bare(&["register"])
        .apply(whole("A1", "abolish", "2026-02-01", "李四"))
        .unwrap_err();
    assert!(e.expected.contains("dismiss"), "{e:?}");
}

#[test]
fn who_submits_does_not_accept_and_dates_do_not_go_back() {
    let mut ledger = ledger_at("submitted");
    let e = ledger
        .apply(whole("A1", "cancel", "2026-02-01", "张三"))
        .unwrap_err();
    assert!(e.expected.contains("somebody else"), "{e:?}");
    let e = ledger
        .apply(whole("A1", "cancel", "2026-01-04", "李四"))
        .unwrap_err();
    assert!(
        e.found.contains("2026-01-04") && e.expected.contains("2026-01-05"),
        "{e:?}"
    );
    ledger
        .apply(whole("A1", "销账", "2026-02-01", "李四"))
        .unwrap();
    assert_eq!(ledger.state("A1"), Some("cancelled"));
    let e = ledger
        .apply(whole("A2", "assess", "2026-02-01", "李四"))
        .unwrap_err();
    assert!(e.found.contains("not registered"), "{e:?}");
    let e = ledger
        .apply(whole("A1", "register", "2026-02-01", "李四"))
        .unwrap_err();
    assert!(e.expected.contains("not registered yet"), "{e:?}");
    let e = ledger
        .apply(step("A2", "register", "2026-02-01", "李四"))
        .unwrap_err();
    assert!(e.found.contains("nothing of what the danger is"), "{e:?}");
    let mut late = whole("A1", "reopen", "2026-02-02", "李四");
    late.deadline = Some(date("2026-03-01"));
    assert!(ledger.apply(late).unwrap_err().remedy.contains("extend"));
}

/// Level 2, listed on 3 January: 90 days, so the deadline is 3 April; two extensions, no third; days past it by hand.
#[test]
fn deadlines_extensions_and_overdue_days() {
    let mut ledger = ledger_at("treated");
    let at = |ledger: &DangerLedger, day: &str| ledger.standing(date(day)).remove(0);
    let s = at(&ledger, "2026-04-03");
    assert_eq!((s.deadline, s.overdue_days), (Some(date("2026-04-03")), 0));
    assert_eq!(at(&ledger, "2026-04-13").overdue_days, 10);
    let extend = |day: &str, to: &str| Step {
        deadline: Some(date(to)),
        ..whole("A1", "extend", day, "张三")
    };
    let e = ledger
        .apply(extend("2026-04-05", "2026-04-03"))
        .unwrap_err();
    assert!(e.expected.contains("after 2026-04-03"), "{e:?}");
    ledger.apply(extend("2026-04-05", "2026-05-01")).unwrap();
    ledger.apply(extend("2026-05-05", "2026-06-01")).unwrap();
    let e = ledger
        .apply(extend("2026-05-06", "2026-07-01"))
        .unwrap_err();
    assert!(e.expected.contains("at most 2"), "{e:?}");
    let s = at(&ledger, "2026-06-11");
    assert_eq!(
        (s.extensions, s.overdue_days, s.state.as_str()),
        (2, 10, "extended")
    );
    // The past is not changed by what came later.
    let s = at(&ledger, "2026-04-04");
    assert_eq!(
        (s.state.as_str(), s.extensions, s.overdue_days),
        ("treated", 0, 1)
    );
    assert!(ledger.standing(date("2025-12-31")).is_empty());
    // Closed late stays late, and no later.
    ledger
        .apply(whole("A1", "submit", "2026-06-02", "张三"))
        .unwrap();
    assert_eq!(at(&ledger, "2026-06-20").late_days, 3);
    ledger
        .apply(whole("A1", "cancel", "2026-06-04", "李四"))
        .unwrap();
    let s = at(&ledger, "2027-01-01");
    assert_eq!((s.open, s.overdue_days, s.late_days), (false, 3, 0));
    // Opened again: no deadline until it is listed again, then extensions anew.
    ledger
        .apply(whole("A1", "reopen", "2027-01-02", "李四"))
        .unwrap();
    assert_eq!(at(&ledger, "2027-01-02").deadline, None);
    ledger
        .apply(whole("A1", "assess", "2027-01-02", "李四"))
        .unwrap();
    ledger
        .apply(whole("A1", "list", "2027-01-02", "李四"))
        .unwrap();
    let s = at(&ledger, "2027-01-02");
    assert_eq!((s.extensions, s.deadline), (0, Some(date("2027-04-02"))));
}

#[test]
fn returns_are_counted_and_history_is_kept() {
    let mut ledger = ledger_at("returned");
    ledger
        .apply(whole("A1", "treat", "2026-02-01", "张三"))
        .unwrap();
    ledger
        .apply(whole("A1", "submit", "2026-02-02", "张三"))
        .unwrap();
    ledger
        .apply(whole("A1", "return", "2026-02-03", "李四"))
        .unwrap();
    let s = &ledger.standing(date("2026-02-03"))[0];
    assert_eq!((s.returns, s.steps), (2, 9));
    let actions: Vec<&str> = ledger.history("A1").map(|e| e.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "register", "assess", "list", "treat", "submit", "return", "treat", "submit", "return"
        ]
    );
}

#[test]
fn an_altered_history_is_refused() {
    let ledger = ledger_at("cancelled");
    let replay =
        |entries: Vec<Entry>| DangerLedger::replay(ledger.rules().clone(), "应急局", entries);
    assert_eq!(replay(ledger.entries().to_vec()).unwrap(), ledger);
    let mut changed = ledger.entries().to_vec();
    changed[2].deadline = Some(date("2030-01-01"));
    let refused = replay(changed).unwrap_err();
    assert_eq!(refused[0].0, 2);
    let mut lost = ledger.entries().to_vec();
    lost.remove(3);
    assert_eq!(replay(lost).unwrap_err()[0].0, 3);
    // A forged entry with a right hash that the rules do not allow.
    let mut forged = ledger.entries()[..2].to_vec();
    let mut entry = Entry {
        step: 2,
        action: "cancel".into(),
        to: "cancelled".into(),
        previous: forged[1].hash.clone(),
        ..forged[1].clone()
    };
    entry.hash = entry.digest();
    forged.push(entry);
    assert_eq!(replay(forged).unwrap_err()[0].1.rule, "transition cancel");
    // A right transition that claims another state.
    let mut lying = ledger.entries()[..2].to_vec();
    lying[1].to = "cancelled".into();
    lying[1].hash = lying[1].digest();
    assert!(replay(lying).is_err());
}

#[test]
fn two_departments_merge_or_conflict() {
    let base = ledger_at("listed");
    let (mut one, mut two) = (base.clone(), base.clone());
    one.apply(whole("A1", "treat", "2026-02-01", "张三"))
        .unwrap();
    one.apply(whole("B1", "register", "2026-02-01", "张三"))
        .unwrap();
    two.apply(whole("C1", "register", "2026-01-09", "赵六"))
        .unwrap();
    let merged = merge(&one, &two).unwrap();
    assert_eq!(merged.codes().collect::<Vec<_>>(), ["A1", "B1", "C1"]);
    assert_eq!(merged.state("A1"), Some("treated"));
    assert_eq!(merged.entries(), merge(&two, &one).unwrap().entries());
    assert_eq!(merge(&merged, &one).unwrap().entries(), merged.entries());
    // Both go on from the same step, differently.
    two.apply(whole("A1", "extend", "2026-02-01", "赵六"))
        .unwrap();
    let conflicts = merge(&one, &two).unwrap_err();
    assert_eq!(conflicts.len(), 1);
    assert_eq!((conflicts[0].item.as_str(), conflicts[0].step), ("A1", 3));
    assert_eq!(conflicts[0].one.action, "treat");
    assert_eq!(conflicts[0].other.by, "赵六");
}

#[test]
fn statistics_and_handover_by_hand() {
    let mut ledger = DangerLedger::new(LedgerRules::builtin(), "应急局");
    let mut take = |item: &str, actions: &[(&str, &str)], unit: &str, level: u8| {
        for (action, on) in actions {
            let by = if *action == "cancel" {
                "李四"
            } else {
                "张三"
            };
            let mut step = whole(item, action, on, by);
            if let Some(f) = &mut step.facts {
                *f = facts(unit, level);
            }
            ledger.apply(step).unwrap();
        }
    };
    let listed = |day: &'static str| {
        [
            ("register", "2025-12-01"),
            ("assess", "2025-12-01"),
            ("list", day),
        ]
    };
    // Deadlines: 31 Dec 2025 (overdue), 29 May (due), 27 Aug (new), 30 Nov (carried).
    take("O", &listed("2025-12-01"), "330702", 1);
    take("D", &listed("2026-02-28"), "330702", 2);
    take("N", &listed("2026-02-28"), "330703", 3);
    take("C", &listed("2025-12-01"), "330703", 4);
    take("U", &[("register", "2026-03-30")], "330703", 4);
    let close = [
        ("treat", "2026-01-05"),
        ("submit", "2026-01-06"),
        ("cancel", "2026-02-02"),
    ];
    take("X", &listed("2025-12-01"), "330702", 4);
    take("X", &close, "330702", 4);
    let rules = ledger.rules().clone();
    let as_of = date("2026-03-31");
    let h = handover(&ledger, as_of);
    assert_eq!((h.from, h.next), (date("2026-02-01"), date("2026-05-31")));
    let turns: Vec<(Turn, &str)> = h.items.iter().map(|(t, s)| (*t, s.item.as_str())).collect();
    assert_eq!(
        turns,
        [
            (Turn::Overdue, "O"),
            (Turn::Due, "D"),
            (Turn::New, "N"),
            (Turn::Carried, "C"),
            (Turn::Unlisted, "U"),
            (Turn::Closed, "X"),
        ]
    );
    let counts = statistics(&ledger.standing(as_of), &rules);
    let brief: Vec<(&str, u64, u64, u64, u64, u64)> = counts
        .iter()
        .map(|c| {
            (
                c.unit.as_str(),
                c.items,
                c.open,
                c.overdue,
                c.cancelled,
                c.in_time,
            )
        })
        .collect();
    assert_eq!(
        brief,
        [
            ("330702", 3, 2, 1, 1, 1),
            ("330703", 3, 3, 0, 0, 0),
            ("", 6, 5, 1, 1, 1)
        ]
    );
    assert!(
        counts
            .iter()
            .all(|c| c.states.iter().sum::<u64>() == c.items)
    );
}

#[test]
fn broken_rules_are_named_together() {
    let text = include_str!("../../standards/danger_ledger.toml");
    let broken = text
        .replace("to = \"submitted\"", "to = \"nowhere\"")
        .replace("code = \"reopen\"", "code = \"list\"");
    let e = LedgerRules::parse(&broken, Path::new("r.toml")).unwrap_err();
    let text = e.to_string();
    assert!(
        text.contains("nowhere") && text.contains("twice") && text.contains("submitted"),
        "{text}"
    );
    assert_eq!(e.faults().len(), 3, "{text}");
    assert!(
        LedgerRules::parse("id = 3", Path::new("r.toml"))
            .unwrap_err()
            .is_input()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is tried in whatever order: what was written stays as it was, a refusal changes nothing, and the written
    /// history replays to the same ledger.
    #[test]
    fn no_sequence_of_steps_loses_history(
        steps in prop::collection::vec((0_usize..3, 0_usize..10, 0_u32..40, 0_usize..2, any::<bool>()), 1..60)
    ) {
        let rules = LedgerRules::builtin();
        let mut ledger = DangerLedger::new(rules.clone(), "应急局");
        let start = date("2026-01-01");
        for (n, (item, action, day, by, full)) in steps.into_iter().enumerate() {
            let code = &rules.transitions[action].code;
            let on = start.plus_days(day + n as u32).to_string();
            let (item, by) = (["A", "B", "C"][item], ["张三", "李四"][by]);
            let wanted = if full { whole(item, code, &on, by) } else { step(item, code, &on, by) };
            let before = ledger.clone();
            let allowed_from = rules.transitions[action].from.clone();
            let state = ledger.state(item).map(str::to_owned);
            match ledger.apply(wanted).cloned() {
                Ok(entry) => {
                    prop_assert_eq!(&ledger.entries()[..before.entries().len()], before.entries());
                    prop_assert_eq!(ledger.entries().len(), before.entries().len() + 1);
                    let allowed = state.map_or(allowed_from.is_empty(), |s| allowed_from.contains(&s));
                    prop_assert!(allowed);
                    prop_assert_eq!(ledger.state(item), Some(entry.to.as_str()));
                }
                Err(_) => prop_assert_eq!(&ledger, &before),
            }
        }
        let text: Vec<String> = ledger.entries().iter().map(|e| serde_json::to_string(e).unwrap()).collect();
        let back: Vec<Entry> = text.iter().map(|t| serde_json::from_str(t).unwrap()).collect();
        prop_assert_eq!(DangerLedger::replay(rules, "应急局", back).unwrap(), ledger);
    }
}

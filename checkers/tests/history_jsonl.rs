//! What is written to `history.jsonl` is what is read from it.

mod history_support;

use history_support::{assert_same, edn_values, histories, json_values, names};
use proptest::prelude::*;
use quorate_checkers::history::{History, jsonl};

proptest! {
    #[test]
    fn reading_undoes_writing(history in histories(json_values(), names(), 40)) {
        let mut text = Vec::new();
        jsonl::write(&mut text, history.events()).unwrap();
        let again = jsonl::read(&text[..], "test").unwrap();
        assert_same(&history, &again);
        // Each line is JSON to others as well.
        for (line, event) in String::from_utf8(text).unwrap().lines().zip(history.events()) {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            prop_assert_eq!(json["index"].as_u64(), Some(u64::from(event.index.0)));
            prop_assert_eq!(json["f"].as_str(), Some(event.f.as_str()));
        }
    }

    #[test]
    fn what_json_has_no_word_for_becomes_plain_once(
        history in histories(edn_values(), names(), 20),
    ) {
        let again = |history: &History| {
            let mut text = Vec::new();
            jsonl::write(&mut text, history.events()).unwrap();
            jsonl::read(&text[..], "test").unwrap()
        };
        let plain = again(&history);
        prop_assert_eq!(plain.operations(), history.operations());
        assert_same(&plain, &again(&plain));
    }

    #[test]
    fn pairing_events_again_changes_nothing(history in histories(json_values(), names(), 40)) {
        let again = History::from_events(history.events().to_vec()).unwrap();
        assert_same(&history, &again);
        for op in history.ops() {
            let found = history.op_at(op.invoke.index).map(|op| op.position);
            prop_assert_eq!(found, Some(op.position));
            if let Some(complete) = op.complete {
                prop_assert!(complete.index > op.invoke.index);
                prop_assert_eq!(complete.process, op.invoke.process);
                let found = history.op_at(complete.index).map(|op| op.position);
            prop_assert_eq!(found, Some(op.position));
            }
        }
        let mut by_key: Vec<u32> =
            history.by_key().groups().flat_map(|group| group.positions.to_vec()).collect();
        by_key.sort_unstable();
        prop_assert!(by_key.into_iter().eq(0..history.operations().len() as u32));
    }

    #[test]
    fn no_input_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = jsonl::read(&bytes[..], "test");
    }
}

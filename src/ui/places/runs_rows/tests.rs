//! Rows: seeds together, order, what cells say.

use super::*;
use crate::storage::runs::read;

fn runs(changes: &[&str]) -> Vec<Run> {
    let folder = tempfile::tempdir().unwrap();
    let runs = changes.iter().enumerate().map(|(place, change)| {
        let path = folder.path().join(format!("r{place}_2024010{}_000000", 9 - place));
        std::fs::create_dir(&path).unwrap();
        let rest = "epochs = 2\nbatch_size = 64\nlearning_rate = 0.001\n[optimizer]\nkind = \"adam\"\n";
        let model = if change.contains("model") { "" } else { "model = \"mlp\"\n" };
        std::fs::write(path.join("config.toml"), format!("{change}\n{model}{rest}")).unwrap();
        let accuracy = 0.9 + place as f64 / 100.0;
        let line = format!("{{\"event\":\"epoch\",\"epoch\":1,\"step\":9,\"seconds\":1,\"validation_accuracy\":{accuracy},\"best\":true}}\n");
        std::fs::write(path.join("history.jsonl"), line).unwrap();
        read(&path)
    });
    runs.collect()
}

fn names(rows: &Rows) -> Vec<String> {
    rows.rows.iter().map(|row| row.cells[0].clone()).collect()
}

#[test]
fn seeds_are_one_row_with_their_mean_and_open_into_several() {
    let runs = runs(&["seed = 1", "seed = 2", "warm_up = 0.1", "seed = 3", "no config"]);
    let closed = Rows::new(&runs, None, &Order::default(), &BTreeSet::new());
    assert_eq!(names(&closed), ["r0 × 3", "r2", "r4"]);
    let cell =
        |row: &Row, column: Column| row.cells[closed.columns.iter().position(|own| *own == column).unwrap()].clone();
    let group = &closed.rows[0];
    // 0.90, 0.91 and 0.93
    assert_eq!(
        (cell(group, Column::Best), cell(group, Column::Interval)),
        ("91.33".into(), "seeds 90.00–93.00".into())
    );
    assert_eq!(cell(group, Column::Setting("seed".into())), "3 seeds");
    assert_eq!(cell(&closed.rows[1], Column::Setting("warm_up".into())), "0.1");
    assert!(closed.rows[2].is_damaged && cell(&closed.rows[2], Column::State) == "Failed");
    let open = BTreeSet::from([group_path(&runs, &group.members).to_owned()]);
    assert_eq!(names(&Rows::new(&runs, None, &Order::default(), &open)), ["r0 × 3", "r0", "r1", "r3", "r2", "r4"]);
}

#[test]
fn headers_order_rows_and_what_has_no_value_stands_last() {
    let runs = runs(&["warm_up = 0.2", "clip_norm = 10.0", "clip_norm = 9.0", "no config", "model = \"cnn\""]);
    let by = |column: Column, descending: bool| {
        names(&Rows::new(&runs, None, &Order { column, descending }, &BTreeSet::new()))
    };
    assert_eq!(by(Column::Best, true), ["r4", "r2", "r1", "r0", "r3"]);
    assert_eq!(by(Column::Parameters, false), ["r0", "r1", "r2", "r4", "r3"]);
    assert_eq!(by(Column::Parameters, true), ["r4", "r0", "r1", "r2", "r3"]);
    let clip = by(Column::Setting("clip_norm".into()), true);
    assert_eq!(clip[..2], ["r1", "r2"], "10 is more than 9");
    let of_one_model = Rows::new(&runs, Some("cnn"), &Order::default(), &BTreeSet::new());
    assert_eq!(names(&of_one_model), ["r4"]);
    assert!(!of_one_model.columns.iter().any(|column| matches!(column, Column::Setting(_))));
}

#[test]
fn settings_and_stamps_are_written_as_people_read_them() {
    for (key, title) in [
        ("learning_rate", "Learning rate"),
        ("optimizer.kind", "Optimiser"),
        ("optimizer.momentum", "Momentum"),
        ("augmentation.rotation_degrees", "Rotation degrees"),
        ("early_stopping.patience", "Early stopping patience"),
    ] {
        assert_eq!(setting_title(key), title);
    }
    assert_eq!((begun("20260102_030405-2"), begun("")), ("2026-01-02 03:04".to_owned(), String::new()));
}

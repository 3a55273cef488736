//! The journal's rules on real files: cut at every byte, damaged at every byte, written from many
//! threads. Nothing here stands in for the disk.

use std::{fs, path::Path, sync::Barrier, thread};

use tempfile::tempdir;

use super::{Cut, Journal, JournalError, Opened, line};

fn open(path: &Path) -> Result<Opened<String>, JournalError> {
    Journal::open(path)
}

fn text(records: &[&str]) -> Vec<String> {
    records.iter().map(|record| (*record).to_owned()).collect()
}

#[test]
fn what_was_appended_is_there_after_opening_again() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    Journal::create(&path).unwrap();
    let opened = open(&path).unwrap();
    assert!(opened.records.is_empty());
    opened.journal.append_durable(&text(&["one"])).unwrap();
    opened.journal.append_durable(&text(&["two\nlines", "ü ž"])).unwrap();
    opened.journal.append_durable::<String>(&[]).unwrap();
    assert_eq!(opened.journal.durable(), 3);
    drop(opened);
    let again = open(&path).unwrap();
    assert_eq!(again.records, ["one", "two\nlines", "ü ž"]);
    assert_eq!(again.cut, None);
    again.journal.append_durable(&text(&["four"])).unwrap();
    drop(again);
    assert_eq!(open(&path).unwrap().records.len(), 4);
}

#[test]
fn a_journal_is_neither_made_twice_nor_taken_for_new_when_it_is_lost() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    assert!(matches!(open(&path), Err(JournalError::Io { step: "open", .. })));
    Journal::create(&path).unwrap();
    assert!(matches!(Journal::create(&path), Err(JournalError::Io { step: "create", .. })));
}

#[test]
fn two_cannot_have_a_journal_open() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    Journal::create(&path).unwrap();
    let first = open(&path).unwrap();
    assert!(matches!(open(&path), Err(JournalError::InUse { .. })));
    drop(first);
    assert!(open(&path).is_ok());
}

#[test]
fn a_write_torn_at_any_byte_is_cut_off_whole_and_the_rest_stays() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    let before =
        [line::write(&text(&["\"a\"", "\"b\""]), 1, 1), line::write(&text(&["\"c\""]), 3, 2)]
            .concat();
    let last = line::write(&text(&["\"d\"", "\"e\""]), 4, 3);
    for length in 0..last.len() {
        fs::write(&path, [before.as_slice(), &last[..length]].concat()).unwrap();
        let opened = open(&path).unwrap();
        assert_eq!(opened.records, ["a", "b", "c"]);
        // The end of a line inside the batch is a whole line, and still no whole batch.
        let cut = Cut { offset: before.len(), bytes: length };
        assert_eq!(opened.cut, (length > 0).then_some(cut));
        opened.journal.append_durable(&text(&["d2"])).unwrap();
        drop(opened);
        assert_eq!(open(&path).unwrap().records, ["a", "b", "c", "d2"]);
    }
}

#[test]
fn a_torn_page_in_the_middle_of_the_last_write_is_cut_off_too() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    let before = line::write(&text(&["\"a\""]), 1, 1);
    let mut last = line::write(&text(&["\"b\"", "\"c\"", "\"d\""]), 2, 2);
    last[10..40].fill(0);
    fs::write(&path, [before.as_slice(), &last].concat()).unwrap();
    assert_eq!(open(&path).unwrap().records, ["a"]);
}

#[test]
fn damage_before_the_last_write_is_corrupt_at_every_byte() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    let before =
        [line::write(&text(&["\"a\"", "\"b\""]), 1, 1), line::write(&text(&["\"c\""]), 3, 2)]
            .concat();
    let bytes = [before.clone(), line::write(&text(&["\"d\""]), 4, 3)].concat();
    for place in 0..before.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(matches!(open(&path), Err(JournalError::Corrupt { .. })), "byte {place}");
    }
}

#[test]
fn missing_doubled_and_swapped_records_are_corrupt() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    let lines = [
        line::write(&text(&["\"a\""]), 1, 1),
        line::write(&text(&["\"b\""]), 2, 2),
        line::write(&text(&["\"c\""]), 3, 3),
    ];
    for order in
        [vec![0, 2], vec![1, 2], vec![0, 0, 1, 2], vec![1, 0, 2], vec![0, 1, 2, 2], vec![2]]
    {
        let bytes: Vec<u8> = order.iter().flat_map(|index| lines[*index].clone()).collect();
        fs::write(&path, bytes).unwrap();
        assert!(matches!(open(&path), Err(JournalError::Corrupt { .. })), "{order:?}");
    }
}

#[test]
fn a_record_of_an_unknown_kind_is_corrupt_and_not_skipped() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    fs::write(&path, line::write(&text(&["{\"new\":1}"]), 1, 1)).unwrap();
    assert!(matches!(open(&path), Err(JournalError::Corrupt { .. })));
}

#[test]
fn many_threads_share_writes_and_each_finds_its_own_records_in_order() {
    let home = tempdir().unwrap();
    let path = home.path().join("journal");
    Journal::create(&path).unwrap();
    let opened = open(&path).unwrap();
    let (threads, rounds) = (16_u32, 20_u32);
    let start = Barrier::new(16);
    thread::scope(|scope| {
        for thread in 0..threads {
            let (journal, start) = (&opened.journal, &start);
            scope.spawn(move || {
                start.wait();
                for round in 0..rounds {
                    let pair = [format!("{thread} {round} x"), format!("{thread} {round} y")];
                    journal.append_durable(&pair).unwrap();
                }
            });
        }
    });
    drop(opened);
    let records = open(&path).unwrap().records;
    assert_eq!(records.len(), 640);
    for pair in records.chunks(2) {
        assert_eq!(pair[0].replace('x', "y"), pair[1], "a caller's records stay together");
    }
    for thread in 0..threads {
        let prefix = format!("{thread} ");
        let own: Vec<_> = records.iter().filter(|record| record.starts_with(&prefix)).collect();
        let wanted: Vec<_> = (0..rounds)
            .flat_map(|round| [format!("{thread} {round} x"), format!("{thread} {round} y")])
            .collect();
        assert!(own.into_iter().eq(&wanted));
    }
    let bytes = fs::read_to_string(&path).unwrap();
    let last = bytes.lines().last().unwrap().split(' ').nth(2).unwrap().parse::<u32>().unwrap();
    assert!(last < threads * rounds, "no two callers ever shared a write");
}

//! An export is the log, in the form that needs no program of ours.

use crate::book::{Book, bytes, run};
use strongroom_replay::Fault;

#[tokio::test]
async fn an_export_holds_every_entry_and_is_never_overwritten() {
    let book = Book::written().await;
    let file = book.file("log.jsonl");
    let arguments = ["export", book.log.to_str().unwrap(), file.to_str().unwrap()];
    let (code, said) = run(&arguments);
    assert_eq!(code, 0, "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes(&book.pairs()));
    let (code, said) = run(&arguments);
    assert_eq!(code, i32::from(Fault::Unreadable.exit_code()), "{said}");
    let (code, said) = run(&["verify", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    let again = book.file("again.jsonl");
    run(&["export", file.to_str().unwrap(), again.to_str().unwrap()]);
    assert_eq!(std::fs::read(&again).unwrap(), std::fs::read(&file).unwrap());
}

//! The auditor's script says what the program says, with nothing but Python.

use crate::book::{Book, bytes, run};
use crate::witnesses::{cosigned, tree};
use std::path::Path;
use std::process::Command;

/// Runs `docs/check_log.py`: whether it is content, and what it says.
pub(crate) fn python(arguments: &[&Path]) -> (bool, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/check_log.py");
    let output = Command::new("python3").arg(script).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("python3 must be installed: {error}"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test]
async fn the_script_knows_trees_checkpoints_and_segments() {
    let book = Book::written().await;
    let pairs = book.pairs();
    let (file, out) = (book.file("log.jsonl"), book.file("export"));
    std::fs::write(&file, bytes(&pairs)).unwrap();
    let arguments = ["export", book.log.to_str().unwrap(), "--out", out.to_str().unwrap()];
    assert_eq!(run(&[arguments.as_slice(), &["--segment", "9"]].concat()).0, 0);
    let head = crate::book::head(&pairs);
    let expected = format!("ok {} {} {}\n", head.position, head.leaf, tree(&pairs).root);
    assert_eq!(python(&[&file]), (true, expected.clone()));
    assert_eq!(python(&[&out]), (true, expected.clone()));

    let flag = Path::new("--checkpoint");
    let checkpoint = book.file("checkpoint");
    let with = |of: &Path, size: usize| {
        std::fs::write(&checkpoint, cosigned(tree(&pairs[..size]), [1, 2, 3]).to_string()).unwrap();
        python(&[of, flag, &checkpoint])
    };
    for size in [1, 8, 9, pairs.len()] {
        assert_eq!(with(&out, size), (true, expected.clone()));
    }
    std::fs::write(&file, bytes(&pairs[..40])).unwrap();
    let (content, said) = with(&file, pairs.len());
    assert!(!content && said.contains("it was cut or rolled back"), "{said}");
    let note = cosigned(tree(&pairs[1..]), [1, 2, 3]).to_string();
    std::fs::write(&checkpoint, note).unwrap();
    let (content, said) = python(&[&out, flag, &checkpoint]);
    assert!(!content && said.contains("another history"), "{said}");

    let segment = out.join("entries-000000000010.jsonl");
    let text = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, [&text[..text.len() - 1], b" \n"].concat()).unwrap();
    let (content, said) = python(&[&out]);
    assert!(!content && said.contains("payload was altered"), "{said}");
    std::fs::write(&segment, text).unwrap();
    let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
    let other = manifest.replacen("\"sha256\": \"", "\"sha256\": \"0", 1);
    std::fs::write(out.join("manifest.json"), other).unwrap();
    let (content, said) = python(&[&out]);
    assert!(!content && said.contains("is not the file that the manifest names"), "{said}");
}

//! `quorate serve`, asked over plain sockets, so that nothing tidies up what is asked.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it did not expect")]

use quorate::serve::Server;
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// A results folder with a simulated run, beside a file that nobody may read, and its server.
struct Bench {
    folder: TempDir,
    address: SocketAddr,
    runtime: tokio::runtime::Runtime,
}

/// An answer: its first line with the headers, and what follows.
struct Answer {
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn status(&self) -> u16 {
        self.head[9..12].parse().unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default()
    }
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results");
        std::fs::create_dir(&results).unwrap();
        std::fs::write(folder.path().join("secret"), "the secret").unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let loopback = "127.0.0.1:0".parse().unwrap();
        let server = runtime.block_on(Server::bind(&results, loopback)).unwrap();
        let address = server.address();
        runtime.spawn(server.run());
        Bench { folder, address, runtime }
    }

    fn results(&self) -> PathBuf {
        self.folder.path().join("results")
    }

    /// Simulates a run that breaks its promise; its path below the results.
    fn simulate(&self) -> String {
        let ran = Command::new(env!("CARGO_BIN_EXE_quorate"))
            .args(["sim", "raft-kv", "--seed", "3", "--bug", "follower-read", "--quiet"])
            .args(["--time-limit", "3s", "--results"])
            .arg(self.results())
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
        let latest = std::fs::read_link(self.results().join("latest")).unwrap();
        latest.to_str().unwrap().to_owned()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        stream
    }

    /// Sends a request as it is written, but for the headers that every one has.
    fn ask(&self, request: &str, headers: &[&str]) -> Answer {
        let mut stream = self.connect();
        let headers: String = headers.iter().flat_map(|line| [*line, "\r\n"]).collect();
        write!(stream, "{request} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n").unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let body = bytes.split_off(end + 4);
        let body = if head.contains("transfer-encoding: chunked") { unchunk(&body) } else { body };
        Answer { head, body }
    }

    fn host(&self) -> String {
        format!("host: {}", self.address)
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), &[&self.host()])
    }
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(line) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        out.extend_from_slice(&bytes[line + 2..line + 2 + size]);
        bytes = &bytes[line + 2 + size + 2..];
    }
    out
}

#[test]
fn nothing_outside_of_the_results_is_served() {
    let bench = Bench::new();
    let run = bench.simulate();
    std::os::unix::fs::symlink("../../secret", bench.results().join("link")).unwrap();
    std::os::unix::fs::symlink("/etc", bench.results().join("etc")).unwrap();
    for path in [
        "/runs/../secret",
        "/runs/..%2fsecret",
        "/runs/%2e%2e/secret",
        "/runs/%2e%2e%2fsecret",
        "/runs/raft-kv-register/../../secret",
        "/runs/raft-kv-register%2f..%2f..%2fsecret",
        "/runs//etc/passwd",
        "/runs/%2fetc%2fpasswd",
        "/runs/etc/passwd",
        "/runs/link",
        "/runs/..%5csecret",
        "/runs/secret%00.html",
        "/zip/..",
        "/zip/%2e%2e",
        "/zip/etc",
        "/assets/../secret",
    ] {
        let answer = bench.get(path);
        assert!([400, 404].contains(&answer.status()), "{path}: {}", answer.head);
        assert!(
            !answer.text().contains("the secret") && !answer.text().contains("root:"),
            "{path}"
        );
    }
    assert_eq!(bench.get(&format!("/runs/{run}/plan.json")).status(), 200);
    assert_eq!(bench.get("/runs/latest/plan.json").status(), 200);
}

#[test]
fn only_those_who_ask_for_this_server_are_answered() {
    let bench = Bench::new();
    let run = bench.simulate();
    for host in ["host: evil.example", "host: 127.0.0.1.evil.example", "host: 127.0.0.1:1"] {
        assert_eq!(bench.ask("GET /", &[host]).status(), 403, "{host}");
    }
    let port = bench.address.port();
    assert_eq!(bench.ask("GET /", &[&format!("host: localhost:{port}")]).status(), 200);
    let verdict = bench.results().join(&run).join("verdict.json");
    std::fs::remove_file(&verdict).unwrap();
    let check = format!("POST /check/{run}");
    for origin in ["origin: http://evil.example", "origin: null", "x-nothing: x"] {
        let answer = bench.ask(&check, &[&bench.host(), origin, "content-length: 0"]);
        assert_eq!(answer.status(), 403, "{origin}");
        assert!(!verdict.is_file(), "{origin}");
    }
    let own = format!("origin: http://{}", bench.address);
    let answer = bench.ask(&check, &[&bench.host(), &own, "content-length: 0"]);
    assert_eq!(
        (answer.status(), answer.header("location")),
        (303, &*format!("/#{run}").to_lowercase())
    );
    assert!(verdict.is_file(), "the run was judged again");
    assert_eq!(bench.ask(&format!("GET /check/{run}"), &[&bench.host()]).status(), 405);
}

#[test]
fn runs_with_links_that_lead_outside_are_not_judged() {
    let bench = Bench::new();
    let run = bench.simulate();
    let secret = bench.folder.path().join("secret");
    let folder = bench.results().join(&run);
    let own = format!("origin: http://{}", bench.address);
    let check = || {
        let asked = format!("POST /check/{run}");
        bench.ask(&asked, &[&bench.host(), &own, "content-length: 0"]).status()
    };
    assert_eq!(check(), 303);
    for name in ["report.html", "verdict.json", "nodes/n1/stderr.log", "minimal"] {
        let link = folder.join(name);
        let before = std::fs::read(&link).ok();
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(&secret, &link).unwrap();
        assert_eq!(check(), 404, "{name}");
        let query = format!("/compare?run={run}&run={run}");
        assert_eq!(bench.get(&query).status(), 400, "{name}");
        std::fs::remove_file(&link).unwrap();
        if let Some(bytes) = before {
            std::fs::write(&link, bytes).unwrap();
        }
    }
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), "the secret");
    std::os::unix::fs::symlink("plan.json", folder.join("inside")).unwrap();
    assert_eq!(check(), 303, "a link that stays inside is fine");
}

#[test]
fn every_answer_has_a_policy_and_reports_are_in_a_sandbox() {
    let bench = Bench::new();
    let run = bench.simulate();
    for path in ["/", "/live", "/assets/list.js", "/nothing"] {
        let answer = bench.get(path);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let report = bench.get(&format!("/runs/{run}/report.html"));
    let policy = report.header("content-security-policy");
    assert!(policy.starts_with("sandbox allow-scripts") && !policy.contains("allow-same-origin"));
    assert!(report.text().contains("broke its promise"));
    let history = bench.get(&format!("/runs/{run}/history.jsonl"));
    assert!(history.header("content-type").starts_with("text/plain"));
    assert!(history.header("content-security-policy").starts_with("sandbox;"));
}

#[test]
fn a_run_is_downloaded_whole() {
    let bench = Bench::new();
    let run = bench.simulate();
    let answer = bench.get(&format!("/zip/{run}"));
    assert_eq!(answer.status(), 200);
    let mut zip = zip::ZipArchive::new(Cursor::new(answer.body)).unwrap();
    let prefix = run.replace('/', "_");
    for name in ["plan.json", "history.jsonl", "verdict.json", "report.html"] {
        let mut packed = Vec::new();
        zip.by_name(&format!("{prefix}/{name}")).unwrap().read_to_end(&mut packed).unwrap();
        let original = std::fs::read(bench.results().join(&run).join(name)).unwrap();
        assert!(packed == original, "{name}");
    }
    assert_eq!(bench.get("/zip/raft-kv-register").status(), 404, "that is no run");
}

/// Puts a run into the folder that is a copy of another but for its names.
fn copy(results: &Path, run: &str, name: &str) {
    let to = results.join(name);
    std::fs::create_dir_all(&to).unwrap();
    for file in ["plan.json", "history.jsonl", "verdict.json"] {
        std::fs::hard_link(results.join(run).join(file), to.join(file)).unwrap();
    }
}

#[test]
fn thousands_of_runs_are_one_list() {
    let bench = Bench::new();
    let run = bench.simulate();
    for at in 0..3000 {
        copy(
            &bench.results(),
            &run,
            &format!("copy-{}/2020010{}T000000.{at:04}Z", at % 7, at % 9 + 1),
        );
    }
    let page = bench.get("/").text();
    assert_eq!(page.matches("<tr id=").count(), 3001);
    assert!(page.contains("3,001 runs"));
    let row = &page[page.find(&format!("<tr id=\"{run}\"")).unwrap()..];
    let row = &row[..row.find("</tr>").unwrap()];
    for part in
        ["raft-kv", "follower-read", "invalid", "simulated", "/zip/", "re-check", "stale-read"]
    {
        assert!(row.contains(part), "{part}: {row}");
    }
}

#[test]
fn runs_are_compared() {
    let bench = Bench::new();
    let run = bench.simulate();
    copy(&bench.results(), &run, "copy/one more");
    let query = format!("run={}&run=copy%2Fone+more", run.replace('/', "%2F"));
    let answer = bench.get(&format!("/compare?{query}"));
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert!(answer.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
    for part in ["Which models hold", "copy/one more", "linearizable"] {
        assert!(answer.text().contains(part), "{part}");
    }
    for query in ["", "run=copy%2Fone+more", "run=..&run=copy%2Fone+more", "run=a&run=b"] {
        assert_eq!(bench.get(&format!("/compare?{query}")).status(), 400, "{query}");
    }
}

#[test]
fn the_live_page_is_told_how_the_latest_run_stands() {
    let bench = Bench::new();
    let run = bench.simulate();
    std::fs::remove_file(bench.results().join(&run).join("verdict.json")).unwrap();
    let mut stream = bench.connect();
    write!(stream, "GET /live/events HTTP/1.1\r\n{}\r\n\r\n", bench.host()).unwrap();
    let mut events = BufReader::new(stream).lines().map_while(Result::ok).filter_map(|line| {
        serde_json::from_str::<serde_json::Value>(line.strip_prefix("data: ")?).ok()
    });
    let standing = events.next().unwrap();
    assert_eq!(standing["run"], run);
    assert_eq!((&standing["going"], &standing["target"]), (&true.into(), &"raft-kv".into()));
    assert!(standing["invoked"].as_u64().unwrap() > 500, "{standing}");
    assert!(standing["verdict"].as_str().unwrap().starts_with("VIOLATION"), "{standing}");
    std::fs::write(bench.results().join(&run).join("verdict.json"), "{\"valid\":true}").unwrap();
    let ended = events.find(|standing| standing["going"] == false).unwrap();
    assert_eq!(ended["verdict"], "VALID");
}

#[test]
fn runs_whose_plan_is_torn_are_listed() {
    let bench = Bench::new();
    let run = bench.simulate();
    let plan = bench.results().join(&run).join("plan.json");
    let text = std::fs::read_to_string(&plan).unwrap();
    assert!(!bench.get("/").text().contains(">broken<"));
    std::fs::write(&plan, &text[..100]).unwrap();
    let page = bench.get("/").text();
    assert!(page.contains(&format!("<tr id=\"{run}\"")) && page.contains(">broken<"), "{page}");
}

#[test]
fn it_listens_on_loopback_only() {
    let bench = Bench::new();
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let bound = bench.runtime.block_on(Server::bind(&bench.results(), everywhere));
    assert!(bound.unwrap_err().to_string().contains("no loopback address"));
}

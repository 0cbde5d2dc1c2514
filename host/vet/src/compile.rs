//! Compiling in a child process: a component that is made to cost the compiler hours, or all of the machine's
//! memory, costs a candidate its place, and the host nothing.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use tallow_engine::{Code, Runtime, precompile};

use crate::refusal::Trial;
use crate::{Candidate, CompileLimits, Refusal, Rule};

/// The child's answer begins with one of these, so that a program which is not the compiler is not taken for it.
const COMPILED: &[u8] = b"tallow compiled\n";
const INVALID: &[u8] = b"tallow invalid\n";

/// Threads that compile side by side, at most: each takes memory.
const THREADS: usize = 4;

/// The program that compiles in a child process: this one, with arguments that make it call [`compile_child`].
pub struct Compiler {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

/// Gives compiled code: from the cache, or by a child process within the candidate's limits.
pub(crate) fn compile(
    runtime: &Runtime,
    compiler: &Compiler,
    candidate: &Candidate<'_>,
    trial: &mut Trial<'_>,
) -> Result<Code, Refusal> {
    let CompileLimits { size_bytes, time, memory_bytes, .. } = candidate.compile;
    let bytes = candidate.bytes;
    trial.begin(Rule::Size);
    if bytes.len() as u64 > size_bytes {
        let seen = format!("{} bytes, and {size_bytes} are allowed", bytes.len());
        return Err(trial.refuse(seen, "strip it, leave out what it does not need, or raise `max-size`"));
    }
    trial.pass(Rule::Size, format!("{} bytes", bytes.len()));
    if let Some(code) = runtime.cached(bytes) {
        trial.pass(Rule::Component, "compiled in an earlier run");
        return Ok(code);
    }
    trial.begin(Rule::Component);
    let compiled = match compiler.run(bytes, candidate.compile) {
        Ok(compiled) => compiled,
        Err(Failed::Invalid(why)) => {
            return Err(trial.refuse(why, "build a component: `tallow functions build`, or wit-component"));
        }
        Err(Failed::Time) => {
            let seen = format!("it was not compiled after {} ms", time.as_millis());
            let remedy = "make its functions smaller, or raise `compile-time` if you trust it";
            return Err(trial.refuse_as(Rule::CompileTime, seen, remedy));
        }
        Err(Failed::Memory) => {
            let seen = format!("compiling it takes more than {memory_bytes} bytes");
            let remedy = "make its functions smaller, or raise `compile-memory` if you trust it";
            return Err(trial.refuse_as(Rule::CompileMemory, seen, remedy));
        }
        Err(Failed::Broken(why)) => {
            return Err(
                trial.refuse(format!("the compiler itself failed: {why}"), "report it, with the file")
            );
        }
    };
    // SAFETY: the bytes come through a pipe from a process that this one started, of this same program, and begin as
    // only `compile_child` begins them: they are what `precompile` gave for these bytes.
    let code = unsafe { runtime.adopt(candidate.name, bytes, &compiled) };
    let code = code.map_err(|error| trial.refuse(error, "run the same tallow for both, and try again"))?;
    trial.pass(Rule::Component, format!("compiled, {} bytes of code", compiled.len()));
    Ok(code)
}

/// Why there is no compiled code.
#[derive(Debug, PartialEq, Eq)]
enum Failed {
    Invalid(String),
    Time,
    Memory,
    /// The child could not be run or gave no answer.
    Broken(String),
}

impl Compiler {
    fn run(&self, bytes: &[u8], limits: CompileLimits) -> Result<Vec<u8>, Failed> {
        let broken = |error: std::io::Error| Failed::Broken(format!("{}: {error}", self.program.display()));
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(THREADS);
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(limits.memory_bytes.to_string())
            .arg((limits.time.as_secs() + 1).saturating_mul(threads as u64).to_string())
            .env_clear()
            .env("RAYON_NUM_THREADS", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(broken)?;
        let answer = answer(&mut child, bytes, limits);
        if answer.is_none() {
            // It may have ended by itself; either way it is waited for below.
            let _ = child.kill();
        }
        let status = child.wait().map_err(broken)?;
        let (answer, said) = answer.ok_or(Failed::Time)?;
        judge(status, answer, &said)
    }
}

/// What a child wrote to its output and to its errors; `None` if it did not end in time.
fn answer(child: &mut Child, bytes: &[u8], limits: CompileLimits) -> Option<(Vec<u8>, String)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (ended, end) = crossbeam_channel::bounded(1);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // A child that has ended reads no more: its answer says why.
            let _ = stdin.map(|mut stdin| stdin.write_all(bytes));
        });
        let errors = scope.spawn(move || {
            let mut said = String::new();
            let _ = stderr.map(|stderr| stderr.take(1 << 16).read_to_string(&mut said));
            said
        });
        let output = scope.spawn(move || {
            let mut answer = Vec::new();
            let _ = stdout.map(|stdout| stdout.take(limits.memory_bytes).read_to_end(&mut answer));
            // The receiver is gone once time is up.
            let _ = ended.send(());
            answer
        });
        let in_time = end.recv_timeout(limits.time).is_ok();
        if !in_time {
            // The threads end once the pipes do.
            let _ = child.kill();
        }
        let (answer, said) = (output.join().unwrap_or_default(), errors.join().unwrap_or_default());
        in_time.then_some((answer, said))
    })
}

fn judge(status: ExitStatus, answer: Vec<u8>, said: &str) -> Result<Vec<u8>, Failed> {
    use std::os::unix::process::ExitStatusExt;
    if let Some(compiled) = answer.strip_prefix(COMPILED).filter(|_| status.success()) {
        return Ok(compiled.to_vec());
    }
    if let Some(why) = answer.strip_prefix(INVALID) {
        return Err(Failed::Invalid(String::from_utf8_lossy(why).into_owned()));
    }
    if ["memory allocation of", "Cannot allocate memory", "out of memory"].iter().any(|it| said.contains(it))
    {
        return Err(Failed::Memory);
    }
    if status.signal() == Some(libc::SIGXCPU) {
        return Err(Failed::Time);
    }
    Err(Failed::Broken(format!("{status}: {}", said.trim())))
}

/// The child's side: takes its limits, reads a component from standard input, writes the answer to standard output.
///
/// # Errors
/// The limits could not be set, or a pipe is broken.
pub fn compile_child(memory_bytes: u64, cpu_seconds: u64) -> std::io::Result<()> {
    limit(libc::RLIMIT_DATA, memory_bytes)?;
    // For a child whose parent is gone and does not kill it.
    limit(libc::RLIMIT_CPU, cpu_seconds)?;
    limit(libc::RLIMIT_CORE, 0)?;
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let mut output = std::io::stdout().lock();
    match precompile(&bytes) {
        Ok(compiled) => {
            output.write_all(COMPILED)?;
            output.write_all(&compiled)?;
        }
        Err(why) => {
            output.write_all(INVALID)?;
            write!(output, "{why:#}")?;
        }
    }
    output.flush()
}

fn limit(resource: libc::__rlimit_resource_t, most: u64) -> std::io::Result<()> {
    let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
    // SAFETY: the call reads `limit` and nothing else.
    if unsafe { libc::setrlimit(resource, &limit) } == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: CompileLimits = CompileLimits {
        size_bytes: 1 << 20,
        time: Duration::from_secs(20),
        memory_bytes: 1 << 20,
        check_time: Duration::from_secs(1),
    };

    /// A program that stands for the compiler.
    fn shell(script: &str) -> Compiler {
        let arguments = ["-c".to_owned(), script.to_owned(), "sh".to_owned()];
        Compiler { program: "/bin/sh".into(), arguments: arguments.into() }
    }

    #[test]
    fn the_childs_answer_is_taken_whole_and_its_input_given_whole() {
        let input = vec![b'x'; 300_000];
        let compiled = shell("printf 'tallow compiled\\n'; cat").run(&input, LIMITS);
        assert_eq!(compiled, Ok(input));
    }

    #[test]
    fn a_child_that_says_why_the_bytes_are_wrong_is_quoted() {
        let failed = shell("printf 'tallow invalid\\nno magic'").run(&[0; 1 << 18], LIMITS);
        assert_eq!(failed, Err(Failed::Invalid("no magic".into())));
    }

    #[test]
    fn a_child_that_does_not_end_is_killed_when_time_is_up() {
        let limits = CompileLimits { time: Duration::from_millis(100), ..LIMITS };
        assert_eq!(shell("exec sleep 600").run(b"", limits), Err(Failed::Time));
    }

    #[test]
    fn a_child_that_runs_out_of_memory_or_of_processor_time_says_so() {
        let failed = shell("echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$").run(b"", LIMITS);
        assert_eq!(failed, Err(Failed::Memory));
        assert_eq!(shell("kill -XCPU $$").run(b"", LIMITS), Err(Failed::Time));
    }

    #[test]
    fn an_answer_of_another_program_is_not_taken_for_code() {
        for script in ["printf code", "printf 'tallow compiled\\ncode'; exit 1", "exit 0"] {
            assert!(matches!(shell(script).run(b"", LIMITS), Err(Failed::Broken(_))), "{script}");
        }
        let nowhere = Compiler { program: "/nowhere".into(), arguments: Vec::new() };
        assert!(matches!(nowhere.run(b"", LIMITS), Err(Failed::Broken(why)) if why.contains("/nowhere")));
    }
}

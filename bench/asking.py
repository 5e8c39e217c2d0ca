"""Builds the programs of bench/, runs them on one library after the other, and keeps the answers."""

import glob
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.path.join(ROOT, "build-bench")
RESULTS = os.path.join(HERE, "results")

SHARED = ["harness.c", "identity.c", "kinds.c", "measure.c"]
CFLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Wpedantic"]
LIBS = ["-lssl", "-lcrypto", "-lpthread"]
TIME_LIMIT = 120
MORE_IS_BETTER = {"MB/s", "/s", "times"}

TENON, SYSTEM = "tenon", "system"


def fail(message):
    sys.exit(f"run: {message}")


# ---- building ------------------------------------------------------------------------------------

def compile_program(name, sources, libraries, flags=()):
    """Makes build-bench/NAME of sources in bench/ and returns its path."""
    os.makedirs(BUILD, exist_ok=True)
    out = os.path.join(BUILD, name)
    paths = [os.path.join(HERE, source) for source in sources]
    newest = max(os.path.getmtime(path) for path in paths + glob.glob(os.path.join(HERE, "**", "*.h"), recursive=True))
    if not os.path.isfile(out) or os.path.getmtime(out) <= newest:
        compiler = os.environ.get("CC", "cc").split()
        subprocess.run([*compiler, *CFLAGS, *flags, "-I", HERE, "-o", out, *paths, *libraries], check=True)
    return out


def build(program):
    """A program on OpenSSL's API, and the shim that counts."""
    compile_program("shim.so", ["shim.c"], ["-ldl"], ["-fPIC", "-shared"])
    return compile_program(program, [program + ".c", *SHARED], LIBS)


def identity_files():
    """A folder with chain.pem, key.pem and root.pem for bench.example."""
    folder = os.path.join(BUILD, "identity")
    os.makedirs(folder, exist_ok=True)
    subprocess.run([build("identity_files"), folder], check=True, stdout=subprocess.DEVNULL, env=environment(None))
    return folder


# ---- one run of one program ----------------------------------------------------------------------

def environment(lib, counted=False):
    env = {k: v for k, v in os.environ.items()
           if k not in ("LD_LIBRARY_PATH", "LD_PRELOAD", "SSLKEYLOGFILE", "OPENSSL_CONF")}
    env["LC_ALL"] = "C"
    if lib:
        env["LD_LIBRARY_PATH"] = lib
    if counted:
        env["LD_PRELOAD"] = os.path.join(BUILD, "shim.so")
    return env


def read_answers(command, env):
    """What a program of bench/ says: {key: (unit, value)}, facts about its library."""
    process = subprocess.run(command, env=env, stdout=subprocess.PIPE, timeout=TIME_LIMIT, check=True, text=True)
    figures, facts = {}, {}
    for line in process.stdout.splitlines():
        if line.startswith("# "):
            name, value = line[2:].split(" ", 1)
            facts[name] = value
        else:
            key, unit, value = line.split("\t")
            figures[key] = (unit, float(value))
    return figures, facts


def check_mapped(lib, library, program):
    """Ends everything when program used another libssl than asked for; lib: its folder or None."""
    mapped = os.path.dirname(os.path.realpath(library))
    if (lib is not None) != (mapped == lib):
        fail(f"{program} mapped libssl from {mapped}, not from {lib or 'where the system has it'}")


def on_openssl_api(program, arguments, counted):
    """Asks the same program on either library: {contender: function of a cell}."""
    def asker(lib):
        def ask(cell):
            path = os.path.join(BUILD, program)
            figures, facts = read_answers([path, *arguments, *cell], environment(lib, counted))
            check_mapped(lib, facts["library"], program)
            return figures, facts
        return ask
    return asker


# ---- rounds --------------------------------------------------------------------------------------

def better(unit, ours, theirs):
    """How many times better ours is; None where zero makes that meaningless."""
    a, b = (ours, theirs) if unit in MORE_IS_BETTER else (theirs, ours)
    return a / b if a > 0 and b > 0 else None


def measure(contenders, cells, rounds):
    """The figures of all cells. contenders: name -> function of a cell, asked in turn. A round asks for every cell, so
    that each of them sees all the moods that the machine has meanwhile, which last for seconds."""
    answers = [{name: [] for name in contenders} for _ in cells]
    facts = {}
    for _ in range(rounds):
        for cell, given in zip(cells, answers):
            for name, ask in contenders.items():
                figures, said = ask(cell)
                given[name].append(figures)
                facts.update(said if name == SYSTEM else {})
    return [figure for given in answers for figure in judge(given)], facts


def judge(answers):
    """Medians and ratios. answers: name -> the figures of each round."""
    figures = []
    for key, (unit, _) in answers[SYSTEM][0].items():
        values = {name: [figures[key][1] for figures in given]
                  for name, given in answers.items() if key in given[0]}
        figure = {"key": key, "unit": unit}
        figure.update((name, statistics.median(values[name])) for name in (TENON, SYSTEM))
        ratios = [better(unit, ours, theirs) for ours, theirs in zip(values[TENON], values[SYSTEM])]
        ratios = [ratio for ratio in ratios if ratio is not None]
        if ratios:
            figure.update(ratio=round(statistics.median(ratios), 3), ratio_low=round(min(ratios), 3),
                          ratio_high=round(max(ratios), 3))
        others = {name: statistics.median(v) for name, v in values.items() if name not in (TENON, SYSTEM)}
        if others:
            figure["peers"] = others
        figures.append(figure)
    return figures


# ---- the machine ---------------------------------------------------------------------------------

def output_of(*command):
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                          text=True, cwd=ROOT).stdout.strip()


def version_of(package):
    return output_of("dpkg-query", "-W", "-f", "${Version}", package)


def cpu():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        fields = dict(line.split(":", 1) for line in info.read().split("\n\n")[0].splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    flags = fields.get("flags", "").split()
    wanted = ["aes", "pclmulqdq", "avx2", "avx512f", "vaes", "vpclmulqdq", "sha_ni"]
    model = fields.get("model name", platform.machine())
    number = ", ".join(f"{name} {fields[name]}" for name in ("cpu family", "model") if name in fields)
    return f"{model} ({number})" if number else model, [flag for flag in wanted if flag in flags]


def machine(facts):
    model, features = cpu()
    changed = " with changes" if output_of("git", "status", "--porcelain", "--", "src") else ""
    described = {
        "cpu": model,
        "cpu_features": features,
        "logical_cpus": os.cpu_count(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "kernel": platform.release(),
        "libcrypto": facts.get("libcrypto", ""),
        "system_libssl": version_of("libssl3"),
        "ipsec_mb": version_of("libipsec-mb1"),
        "compiler": output_of("cc", "--version").split("\n")[0],
        "tenon_commit": output_of("git", "rev-parse", "--short=12", "HEAD") + changed,
        "load_average": round(os.getloadavg()[0], 1),
    }
    versions = {name: value for name, value in facts.items() if name not in ("library", "libcrypto")}
    if versions:
        described["versions"] = versions
    return described


# ---- results -------------------------------------------------------------------------------------

def save(question, rounds, figures, facts, columns):
    """columns: what stands under tenon and system, where that is something else."""
    os.makedirs(RESULTS, exist_ok=True)
    result = {"question": question, "rounds": rounds, **({"columns": columns} if columns else {}),
              "note": "Absolute times belong to this machine at that moment; compare ratios and counts.",
              "machine": machine(facts), "figures": figures}
    with open(os.path.join(RESULTS, question + ".json"), "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1, ensure_ascii=False)
        file.write("\n")


def saved(questions):
    """The kept answers to questions that have been asked, in their order."""
    for question in questions:
        path = os.path.join(RESULTS, question + ".json")
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as file:
                yield json.load(file)

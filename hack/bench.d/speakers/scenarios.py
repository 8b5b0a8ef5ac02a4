"""The scenarios: each starts one speaker, drives it, and answers (metrics, whether all was exact, a note)."""
import time

from lab import AS, Lab, adapter, memory, sh

FIRST, MONITOR_ADDRESS = "10.99.128.1", "10.99.200.1"
MONITOR = (MONITOR_ADDRESS, 1, 65002, "r", 0, 0, 90, "")


def mesh(count, keys, roles="s"):
    return (FIRST, count, AS, roles, 0, keys, 90, "")


def clean(check):
    return bool(check) and not (
        check["missing"] or check["stale"] or check.get("unexpected") or check.get("bad_attr"))


def drive(lab, low, high, timeout, settle=0.5):
    """Announces keys [low, high) and waits for every receiver's exact set, which must still hold a moment later."""
    lab.mark()
    lab.peers.say(f"go {low} {high}")
    lab.peers.wait("go", timeout=timeout)
    done = lab.peers.wait("done", timeout=timeout)
    m = lab.usage()
    if done:
        time.sleep(settle)
    check = lab.peers.ask("check")
    later = lab.usage()
    m.update(rss_peak=later["rss_peak"], rss_delta=later["rss_delta"], estab_s=lab.established)
    if done:
        m.update(time_s=done["t"] - done["t0"], updates=check["updates"], looped=check["looped"])
    down = lab.peers.wait("down", timeout=0)
    if done and clean(check) and not down:
        return m, True, ""
    note = "" if done else f"not within {timeout} s; "
    note += (f"missing {check['missing']} stale {check['stale']} unexpected {check['unexpected']} "
             f"wrong {check['bad_attr']} sessions lost {bool(down)}: {check['sample'].strip()}")
    return m, False, note


def ingest(speaker, kind, count, timeout=200, **options):
    source = (FIRST, 1, 65001 if kind == "net" else AS, "s", 0, count, 90, "")
    with Lab(speaker, kind, count, [source, MONITOR], **options) as lab:
        lab.start_speaker()
        lab.start_peers()
        m, ok, note = drive(lab, 0, count, timeout)
        if ok:
            m.update(prefixes_per_s=count / m["time_s"], bytes_per_prefix=m["rss_delta"] / count)
            lab.peers.say("withdraw")
            done = lab.peers.wait("done", timeout=timeout)
            if not done:
                return m, False, "withdrawal incomplete"
            m["withdraw_s"] = done["t"] - done["t0"]
        return m, ok, note


def fan_in(speaker, peers, keys, timeout=60, **options):
    with Lab(speaker, "pod", peers * keys, [mesh(peers, keys), MONITOR], **options) as lab:
        lab.start_speaker()
        lab.start_peers()
        return drive(lab, 0, peers * keys, timeout)


def reflect(speaker, clients, keys, timeout=60):
    with Lab(speaker, "pod", clients * keys, [mesh(clients, keys, "sr")], rr=True, flags="h") as lab:
        lab.start_speaker()
        lab.start_peers()
        m, ok, note = drive(lab, 0, clients * keys, timeout)
        if ok:
            m["deliveries_per_s"] = clients * (clients - 1) * keys / m["time_s"]
        return m, ok, note


def kernel(speaker, count, timeout=60, tamper=None):
    with Lab(speaker, "pod", count, [mesh(50, count // 50)], fib=True) as lab:
        lab.start_speaker()
        lab.start_peers()
        lab.fib.say(f"want 0 {count}")
        lab.mark()
        lab.peers.say(f"go 0 {count}")
        start = lab.peers.wait("go")["t"]
        done = lab.fib.wait("reached", timeout=timeout)
        m = lab.usage()
        if tamper and done:
            sh(f"ip -n {lab.speaker_ns} route del {tamper}")
        time.sleep(0.5)
        check = lab.fib.ask("check")
        if not done or not clean(check):
            return m, False, f"missing {check['missing']} stale {check['stale']} {check['sample']}"
        m["time_s"] = done["t"] - start
        lab.fib.say("want 0 0")
        lab.peers.say("withdraw")
        start = lab.peers.wait("go")["t"]
        done = lab.fib.wait("reached", timeout=timeout)
        if done:
            m["withdraw_s"] = done["t"] - start
        return m, bool(done), "" if done else f"routes left: {lab.fib.ask('check')['stale']}"


def restart(speaker, mode, count=10000, timeout=150):
    """kill -9 of everything; a second later 90 % is announced again: the rest is stale and must go."""
    flags = "-" if mode == "plain" else "g"
    with Lab(speaker, "pod", count, [mesh(50, count // 50)], fib=True, gr=mode != "plain", flags=flags,
             variant=mode) as lab:
        lab.start_speaker()
        lab.start_peers()
        lab.fib.say(f"want 0 {count}")
        lab.peers.say(f"go 0 {count}")
        if not lab.fib.wait("reached", timeout=60):
            return {}, False, "the first installation failed"
        time.sleep(2)
        keep = count * 9 // 10
        lab.fib.say(f"want 0 {keep}")
        lab.kill_speaker()
        lab.peers.process.kill()
        time.sleep(1)
        kept = lab.fib.ask("check")
        lab.setup.restarted = True
        lab.start_speaker()
        start = lab.started
        lab.start_peers(settle=0)
        lab.peers.say(f"go 0 {keep}")
        go = lab.peers.wait("go")["t"]
        done = lab.fib.wait("reached", timeout=timeout)
        check = lab.fib.ask("check")
        m = dict(
            kept_after_kill=count - kept["missing"] - (count - keep - kept["stale"]),
            lost_max=keep - check["min_have"], missing_s=check["short_s"], estab_s=lab.established, go_s=go - start)
        if done:
            m.update(time_s=done["t"] - start, stale_s=done["t"] - go)
        return m, bool(done), "" if done else f"missing {check['missing']}, stale {check['stale']}"


def failover(speaker, mode, keys=1000, timeout=30):
    fib = "fib" in adapter(speaker).FEATURES
    first = (FIRST, 1, AS, "s", 0, keys, 3 if mode == "hold3" else 90, "b" if mode == "bfd" else "")
    second = ("10.99.128.2", 1, AS, "s", keys, keys, 90, "")
    with Lab(speaker, "pod", 2 * keys, [first, second, MONITOR], fib=fib) as lab:
        lab.start_speaker()
        lab.start_peers()
        if mode == "bfd":
            while (event := lab.peers.wait("bfd", timeout=15)) and event["state"] != 3:
                pass
            if not event:
                return {}, False, "BFD did not come up"
        if fib:
            lab.fib.say(f"want 0 {2 * keys}")
        m, ok, note = drive(lab, 0, 2 * keys, timeout, 3 if mode == "bfd" else 0.5)
        if fib and not lab.fib.wait("reached", timeout=timeout):
            return {}, False, "installation incomplete"
        if not ok:
            return m, ok, note
        if fib:
            lab.fib.say(f"want {keys} {2 * keys}")
        lab.peers.say(("rst" if mode == "rst" else "silent") + " 0")
        start = lab.peers.wait("go")["t"]
        done = lab.peers.wait("done", timeout=timeout)
        m = dict(mon_s=done and done["t"] - start)
        if fib:
            gone = lab.fib.wait("reached", timeout=timeout)
            m["fib_s"] = gone and gone["t"] - start
        m["time_s"] = m.get("fib_s", m["mon_s"])
        return m, all(value is not None for value in m.values()), ""


def churn(speaker, mode, rate=1000, seconds=20):
    rr, fib, steady = mode == "rr50", mode == "fib", 3200
    flapper = (FIRST, 1, AS, "s", steady, 2000, 90, "")
    others = ("10.99.128.2", 50, AS, "sr" if rr else "s", 0, 64, 90, "")
    with Lab(speaker, "pod", steady + 2000, [flapper, others, MONITOR], rr=rr, fib=fib) as lab:
        lab.start_speaker()
        lab.start_peers()
        m, ok, note = drive(lab, 0, steady + 2000, 60, 1.0)
        if not ok:
            return m, ok, note
        before = lab.peers.ask("check")["updates"]
        lab.mark()
        lab.peers.say(f"churn 0 {rate} {seconds}")
        done = lab.peers.wait("done", timeout=seconds + 30)
        last = check = None
        # A speaker that lags replays its backlog through states that look right: wait until it is silent.
        for _ in range(80):
            last, check = check, lab.peers.ask("check")
            if last and last["updates"] == check["updates"]:
                break
            time.sleep(0.5)
        m = lab.usage()
        ok = bool(done) and clean(check) and not lab.peers.wait("down", timeout=0)
        m.update(
            flaps=check["churned"], us_per_flap=m["cpu_s"] / max(1, check["churned"]) * 1e6,
            updates=check["updates"] - before, time_s=m["cpu_s"])
        if done:
            m["converge_s"] = done["t"] - done["t0"]
        if fib:
            time.sleep(1)
            lab.fib.say(f"want 0 {steady + 2000}")
            lab.fib.wait("reached", timeout=20)
            ok = ok and clean(lab.fib.ask("check"))
        return m, ok, "" if ok else f"after the churn: missing {check['missing']} stale {check['stale']}"


def connect(speaker, peers):
    """All peers at once; the speaker has been up for a moment, as a reflector that its clients come back to."""
    with Lab(speaker, "pod", 1, [(FIRST, peers, AS, "s", 0, 0, 90, "")], rr=True, flags="c") as lab:
        lab.start_speaker()
        time.sleep(3)
        before = memory(lab.pids(), "VmRSS")
        lab.start_peers(timeout=60, settle=1)
        after = memory(lab.pids(), "VmRSS")
        m = dict(time_s=lab.established, bytes_per_peer=(after - before) / peers, rss_peak=after)
        return m, not lab.peers.wait("down", timeout=0), ""


def idle(speaker, peers, seconds=30):
    with Lab(speaker, "pod", 1, [(FIRST, peers, AS, "s", 0, 0, 90, "")], rr=True) as lab:
        lab.start_speaker()
        lab.start_peers(settle=3)
        lab.mark()
        time.sleep(seconds)
        m = lab.usage()
        m["time_s"] = m["cpu_s"]
        return m, not lab.peers.wait("down", timeout=0), ""


# Name: (function, arguments, feature it needs, whether it is in the quick run).
CASES = {
    **{f"s1 {kind} {n}": (ingest, (kind, n), None, n == 100000)
       for kind in ("net", "pod") for n in (10000, 100000, 1000000)},
    **{f"s2 {p}x{k}": (fan_in, (p, k), None, (p, k) == (500, 64))
       for p, k in ((10, 64), (50, 64), (200, 64), (500, 4), (500, 64))},
    **{f"s3 {c}x{k}": (reflect, (c, k), "rr", k == 64 and c == 200)
       for c, k in ((50, 64), (200, 4), (200, 64), (500, 4))},
    **{f"s4 {n}": (kernel, (n,), "fib", n == 100000) for n in (1000, 10000, 100000)},
    **{f"s4 restart-{mode}": (restart, (mode,), "fib", mode == "gr") for mode in ("plain", "gr", "keep")},
    **{f"s5 {mode}": (failover, (mode,), "bfd" if mode == "bfd" else None, True) for mode in ("rst", "hold3", "bfd")},
    **{f"s6 {mode}": (churn, (mode,), {"fib": "fib", "rr50": "rr"}.get(mode), False)
       for mode in ("mesh", "fib", "rr50")},
    "s7 connect-1000": (connect, (1000,), "rr", True),
    "s7 idle-200": (idle, (200,), "rr", False),
}


def applies(speaker, case):
    feature = CASES[case][2]
    if case.endswith("keep") and speaker != "frr":
        return False
    return feature is None or feature in adapter(speaker).FEATURES

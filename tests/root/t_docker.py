"""The harness itself: a private Docker runs containers, and leaves nothing behind, even where its owner was killed."""
import os
import pathlib
import signal
import subprocess
import sys

import docker

HERE = pathlib.Path(__file__).resolve().parent
docker.skip_unless(network=False)
NO_NETWORK = docker.missing(network=True)


def left_of(folder):
    return docker.users_of(folder), docker.mounts_below(folder), os.path.exists("/run/netns/" + folder.name), folder.exists()


def containers_run(d):
    """run and exec in an image of static busybox"""
    d.import_image("box", {"etc/word": b"hello\n", "usr/bin/again": "-> ../../bin/busybox"}, changes=['CMD ["cat", "/etc/word"]'])
    assert d("run", "--rm", "box") == "hello"
    d("run", "-d", "--name", "long", "box", "sleep", "1000")
    assert "sleep 1000" in d("exec", "long", "ps", "-o", "args")
    assert os.path.exists(f"/proc/{d.pid('long')}")
    assert d("exec", "long", "false", status=1).status == 1
    assert d.container_id("long") in pathlib.Path(f"/proc/{d.pid('long')}/cgroup").read_text()


def packages_become_images(d):
    """an image of Debian packages with their libraries"""
    for package in ("bash", "coreutils"):
        if not docker.package_files(package):
            return f"package {package} is not installed"
    d.import_image("deb", packages=("bash", "coreutils"), busybox=False)
    assert d("run", "--rm", "deb", "bash", "-c", "echo $((6 * 7)); ls / >/dev/null") == "42"


def networks_are_apart(d):
    """containers have addresses of a bridge which the machine does not see"""
    if NO_NETWORK:
        return NO_NETWORK
    d("run", "-d", "--name", "server", "box", "sh", "-c", "echo served >/tmp/x; httpd -f -p 80 -h /tmp")
    address = d("inspect", "-f", "{{.NetworkSettings.IPAddress}}", "server")
    assert docker.wait_until(lambda: d("run", "--rm", "box", "wget", "-qO-", f"http://{address}/x", status=None)) == "served"
    bridges = subprocess.run(["ip", "-o", "-n", d.name, "link"], capture_output=True, text=True).stdout
    assert "docker0" in bridges


def engine_restarts(d):
    """the engine stops and starts again with its images"""
    d.stop()
    assert not d.answers()
    d.start()
    assert d("run", "--rm", "box") == "hello"


def nothing_is_left(_):
    """after its end no process, mount, network namespace or folder is left"""
    with docker.Docker(network=False) as d:
        d.import_image("box")
        d("run", "-d", "box", "sleep", "1000")
        folder = d.folder
        assert left_of(folder)[0] and left_of(folder)[1]
    assert left_of(folder) == ([], [], False, False), left_of(folder)


def killed_owner_is_swept(_):
    """what a killed owner leaves, the next one sweeps"""
    code = ("import sys, time; sys.path.insert(0, sys.argv[1]); import docker; d = docker.Docker(network=False).__enter__();"
            "d.import_image('box'); d('run', '-d', 'box', 'sleep', '1000'); print(d.folder, flush=True); time.sleep(1000)")
    with subprocess.Popen([sys.executable, "-c", code, HERE], stdout=subprocess.PIPE, text=True) as child:
        folder = pathlib.Path(child.stdout.readline().strip())
        assert left_of(folder)[0], folder
        child.send_signal(signal.SIGKILL)
    docker.sweep()
    assert left_of(folder) == ([], [], False, False), left_of(folder)


with docker.Docker(network=not NO_NETWORK) as engine:
    failed = docker.main([containers_run, packages_become_images, networks_are_apart, engine_restarts, nothing_is_left,
                          killed_owner_is_swept], engine)
sys.exit(failed)

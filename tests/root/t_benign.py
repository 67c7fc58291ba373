"""Workloads at their usual work, under load for a while: not one alert."""
import sys
import time

import docker
import watch
from watch import get

PYTHON = ("python3-minimal", "python3.11-minimal", "libpython3.11-minimal")
SHELL = ("bash", "coreutils", "dash", "grep", "curl", "procps")
docker.skip_unless(image_of=(*PYTHON, *SHELL, "nginx-light", "nginx", "nginx-common", "redis-server", "redis-tools"))
watch.skip_unless()
SECONDS = 20

NGINX = """user nobody nogroup;
pid /run/nginx.pid;
events { }
http { access_log /var/log/nginx/access.log; error_log /var/log/nginx/error.log; client_body_temp_path /tmp/body;
       proxy_temp_path /tmp/proxy; fastcgi_temp_path /tmp/fastcgi; uwsgi_temp_path /tmp/uwsgi; scgi_temp_path /tmp/scgi;
       server { listen 80; root /srv; } }
"""
SERVER = """
import os, socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", 8000))
s.listen(16)
while True:
    c, _ = s.accept()
    c.recv(4096)
    with open("/tmp/cache.new", "w") as f:
        f.write(str(time.time()))
    os.rename("/tmp/cache.new", "/tmp/cache")
    c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nhello\\n")
    c.close()
"""
# An entry script as images have them: it sets up what the program needs, then becomes it.
ENTRY = """#!/bin/bash
set -e
echo "app:x:1000:1000::/:/bin/sh" >>/etc/passwd
mkdir -p /var/log/nginx /run
chown -R 65534 /var/log/nginx
exec "$@"
"""
CRON = """while :; do
  date >>/var/log/job.log; df -k / | grep -v File >/tmp/disk; find /tmp -name '*.old' -mtime +1 -delete
  curl -s -m 2 http://WEB/ >/tmp/page && cp /tmp/page /srv/page; sort /tmp/disk | head -3 | cut -d' ' -f1 >/dev/null; ps aux >/dev/null
  tail -100 /var/log/job.log >/tmp/log.new; mv /tmp/log.new /var/log/job.log; rm -f /tmp/disk; sleep 0.2
done
"""


def address(d, name):
    return str(d("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name))


def load(d, w):
    """nginx, redis, a server in python, a loop of jobs and health checks raise no alert"""
    d("run", "-d", "--name", "web", "nginx", "/entry", "nginx", "-c", "/etc/plain.conf", "-g", "daemon off;")
    d("run", "-d", "--name", "store", "redis", "redis-server", "--protected-mode", "no", "--dir", "/tmp", "--save", "1", "1")
    d("run", "-d", "--name", "app", "python", "python3.11", "-S", "/srv/server.py")
    web, store, app = (address(d, n) for n in ("web", "store", "app"))
    d("run", "-d", "--name", "jobs", "shell", "bash", "-c", CRON.replace("WEB", web))
    d("run", "-d", "--name", "client", "redis", "redis-benchmark", "-h", store, "-q", "-n", "2000000", "-c", "4", "-t", "set,get")
    d("run", "-d", "--name", "visitor", "shell", "bash", "-c", f"while :; do curl -s http://{web}/ http://{app}:8000/ >/dev/null; done")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        d("exec", "store", "redis-cli", "ping")  # as a health check does
        d("exec", "web", "sh", "-c", "test -e /run/nginx.pid")
        time.sleep(1)
    for name in "web", "store", "app", "jobs", "visitor":
        assert d("inspect", "-f", "{{.State.Running}}", name) == "true", (name, d("logs", name, status=None).err[-500:])
    ours = set(str(d("ps", "-aq", "--no-trunc")).split())  # other engines of the machine have containers as well
    alerts = [(get(r, "container.name"), get(r, "alert.rule"), get(r, "alert.reason"), get(r, "process.arguments")) for r in w.all("alert")
              if get(r, "container.id") in ours]
    assert not alerts, "\n".join(map(str, alerts))
    assert w.all("exec", container__name="jobs") and w.all("listen", container__name="web"), "the sensor saw nothing"


with docker.Docker() as engine:
    engine.import_image("nginx", {"entry": ENTRY, "etc/plain.conf": NGINX, "srv/index.html": b"hello\n"}, packages=("nginx-light", "nginx", "nginx-common", *SHELL))
    engine.import_image("redis", packages=("redis-server", "redis-tools"))
    engine.import_image("python", {"srv/server.py": SERVER}, packages=PYTHON)
    engine.import_image("shell", {"srv/x": b"x"}, packages=SHELL)
    with watch.Watch(engine, "--all-alerts") as watching:
        failed = docker.main([load], engine, watching)
sys.exit(failed)

#!/bin/sh
# usage: tests/vm/run.sh [build/holdfast] [linux-image-….deb]
# What denies and what sees, in a guest with Debian's kernel, where the programs at the hooks of Linux Security Modules can be loaded. Not part of any
# suite: it takes the kernel's package (70 MB) from Debian's mirror, unpacks it into a temporary folder and boots it in qemu.
# HOLDFAST_VM_LOG=FILE keeps the console. Prints TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
holdfast=${1:-$here/../../build/holdfast}
package=${2:-}

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}
for tool in qemu-system-x86_64 cpio busybox dpkg-deb python3 ldd; do
	command -v $tool >/dev/null || skip "no $tool (packages qemu-system-x86, cpio, busybox-static)"
done
[ "$(uname -m)" = x86_64 ] || skip "the guest is x86-64"
[ -x "$holdfast" ] || skip "no $holdfast"
ldd "$(command -v busybox)" >/dev/null 2>&1 && skip "busybox is not static (package busybox-static)"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
if [ -z "$package" ]; then
	name=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ "$name" ] || skip "apt knows no linux-image-amd64"
	(cd "$work" && apt-get -q download "$name") >"$work/log" 2>&1 || skip "no package $name: $(tail -n 1 "$work/log")"
	package=$(echo "$work"/linux-image-*.deb)
fi
dpkg-deb --fsys-tarfile "$package" | tar -C "$work" --wildcards -xf - './boot/vmlinuz-*' '*/overlay.ko*' ||
	skip "$package cannot be unpacked"

# The first file system: the program with its libraries, busybox, and the image of the containers.
top=$work/top
mkdir -p "$top/bin" "$top/modules" "$top/image/bin" "$top/image/etc" "$top/image/tmp"
cp "$(command -v busybox)" "$top/bin/busybox"
cp "$here/init" "$top/init"
cp "$holdfast" "$top/bin/holdfast"
ldd "$holdfast" | grep -o '/[^ ]*' | while read -r library; do
	mkdir -p "$top$(dirname "$library")" && cp -L "$library" "$top$library"
done
find "$work/lib" "$work/usr" -name 'overlay.ko' -exec cp {} "$top/modules/" \; 2>/dev/null
cp "$(command -v busybox)" "$top/image/bin/busybox"
for applet in sh cp cat; do ln -s busybox "$top/image/bin/$applet"; done
cp "$here/serve" "$top/image/bin/serve"
echo 'root:x:0:0::/:/bin/sh' >"$top/image/etc/passwd"
echo 'root:*:1::::::' >"$top/image/etc/shadow"
(cd "$here/../root" && python3 -c 'import sys, enforcing
sys.stdout.buffer.write(enforcing.program() or b"")') >"$top/image/bin/try"
[ -s "$top/image/bin/try" ] || skip "no static C compiler"
chmod 755 "$top/image/bin/try" "$top/init"
cp "$top/image/bin/try" "$top/image/bin/forbidden"
(cd "$top" && find . | cpio -o -H newc --quiet) | gzip -1 >"$work/first.gz"

# Software emulation: a KVM that opens may still hang, as one inside of another virtual machine does. HOLDFAST_VM_ACCEL=kvm asks for it.
nice timeout -k 5 "${HOLDFAST_VM_SECONDS:-900}" qemu-system-x86_64 -accel "${HOLDFAST_VM_ACCEL:-tcg}" -m 1024 -smp 1 \
	-nographic -no-reboot -nodefaults -serial stdio -kernel "$work"/boot/vmlinuz-* -initrd "$work/first.gz" \
	-append 'console=ttyS0 lsm=landlock,lockdown,yama,bpf panic=-1' </dev/null >"${HOLDFAST_VM_LOG:=$work/console}" 2>"$work/log"
status=$?
tr -d '\r' <"$HOLDFAST_VM_LOG" | sed -n 's/^.*TAP \(ok\|not ok\|#\|1\.\.\)/\1/p' >"$work/tap"
cat "$work/tap"
if ! grep -q '^1\.\.' "$work/tap"; then
	echo "Bail out! the guest did not come to its end (qemu: status $status): $(head -c 300 "$work/log")"
	exit 1
fi
! grep -q '^not ok' "$work/tap"

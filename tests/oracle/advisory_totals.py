#!/usr/bin/env python3
"""advisory_totals.py PROGRAM FEEDS: no record of a feed is lost in silence.

Feeds every file under FEEDS (a folder of feeds, or the project's own data) to PROGRAM (tests/advisory_totals.c) and counts the same independently: records, affected
packages, versions, scores, and the records with pieces that the format does not allow. TAP; skipped without FEEDS."""
import collections, csv, gzip, io, json, os, re, subprocess, sys, zipfile

want = collections.Counter()
CVSS = {'CVSS_V2': ('AV:', 'CVSS:2'), 'CVSS_V3': ('CVSS:3.0/', 'CVSS:3.1/'), 'CVSS_V4': ('CVSS:4.0/',)}


def osv(path, data):
    for line in data.splitlines() if path.endswith('.jsonl') else [data]:
        osv_record(json.loads(line))


def osv_record(d):
    bad = False
    vectors = set()

    def severities(items):
        nonlocal bad
        for s in items or []:
            if s['type'] in CVSS and s['score'].startswith(CVSS[s['type']]):
                vectors.add(s['score'])
            elif s['type'] != 'Ubuntu':
                bad = True
    severities(d.get('severity'))
    for a in d.get('affected') or []:
        p = a.get('package') or {}
        severities(a.get('severity'))
        ranges = a.get('ranges') or []
        if not (p.get('name') and p.get('ecosystem')):
            bad |= not any(r.get('type') == 'GIT' for r in ranges)
            continue
        want['osv.affected'] += 1
        want['osv.versions'] += len(a.get('versions') or [])
        bad |= not ranges and not a.get('versions')
        for r in ranges:
            kinds = [k for e in r['events'] for k in e]
            bad |= r['type'] not in ('SEMVER', 'ECOSYSTEM', 'GIT') or kinds[:1] != ['introduced']
    want['osv.advisories'] += 1
    want['osv.cvss'] += len(vectors)
    want['osv.malformed'] += bad


def secdb(path, data):
    fixes = set()
    for p in json.loads(data)['packages'] or []:
        for version, elements in (p['pkg']['secfixes'] or {}).items():
            for e in elements or []:
                cves = re.findall(r'CVE[-_ ](\d{4}-\d{4,})', e)
                other = re.search(r'(?<![-\w])(?!CVE)[A-Za-z][A-Za-z0-9]*-?[\w-]*\d[\w-]*', e) or re.search('GHSA-', e)
                for c in cves:
                    fixes.add((p['pkg']['name'], version, c))
                if not cves and other:
                    fixes.add((p['pkg']['name'], version, other.group(0)))
                want['secdb.malformed'] += not cves and not other
    want['secdb.affected'] += len(fixes)
    want['secdb.advisories'] += len({f[2] for f in fixes})


def debian(path, data):
    for flaws in json.loads(data).values():
        for f in flaws.values():
            want['debian.advisories'] += 1
            want['debian.affected'] += len(f['releases'])


def cve5(path, data):
    d = json.loads(data)
    want['cve5.cve'] += 1
    bad = False
    for c in [d['containers']['cna']] + d['containers'].get('adp', []):
        for m in c.get('metrics', []):
            for k, v in m.items():
                if k.startswith('cvssV'):
                    good = re.match({'2': 'AV:', '3': r'CVSS:3\.' + k[-1], '4': r'CVSS:4\.0/'}[k[5]], v.get('vectorString', ''))
                    want['cve5.cvss'] += bool(good)
                    bad |= not good
    want['cve5.malformed'] += bad


def kev(path, data):
    want['kev.kev'] += len(json.loads(data)['vulnerabilities'])


def epss(path, data):
    want['epss.epss'] += sum(1 for row in csv.reader(io.StringIO(data.decode())) if row[0].startswith('CVE-'))


def endoflife(path, data):
    want['endoflife.cycles'] += len(json.loads(data))


ROWS = {'osv': osv, 'landmarks': osv, 'alpine': secdb, 'wolfi': secdb, 'debian': debian, 'cve5': cve5, 'cisa': kev, 'epss': epss, 'endoflife': endoflife}


def files(root):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            short = os.path.relpath(path, root)
            if name.endswith('.zip'):
                with zipfile.ZipFile(path) as z:
                    for member in z.namelist():
                        yield short + '!/' + member, z.read(member)
            elif name.endswith('.gz'):
                yield short[:-3], gzip.open(path).read()
            elif name.endswith(('.json', '.jsonl', '.csv')):
                yield short, open(path, 'rb').read()


def main():
    program, root = sys.argv[1:3]
    if not os.path.isdir(root):
        print('1..0 # SKIP no folder of feeds at ../shared/advisories')
        return 0
    run = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for path, data in files(root):
        count = ROWS.get(path.split('/')[0])
        if count:
            count(path, data)
            want[count.__name__ + '.files'] += 1
            run.stdin.write(f'{count.__name__}\n{path}\n{len(data)}\n'.encode() + data)
    run.stdin.close()
    got = {k: int(v) for k, v in (line.split() for line in run.stdout.read().decode().splitlines())}
    bad = run.wait() != 0 or not want
    rows = sorted(k[:-6] for k in want if k.endswith('.files'))
    print(f'1..{len(rows)}')
    for n, row in enumerate(rows, 1):
        wrong = [k for k in got if k.startswith(row + '.') and not k.endswith(('.backwards', '.bytes', '.nanoseconds')) and got[k] != want[k]]
        for k in wrong:
            print(f'# {k}: {got[k]}, but Python counts {want[k]}')
        b, s = got[row + '.bytes'] / 1e6, got[row + '.nanoseconds'] / 1e9
        print(f'# {row}: {got[row + ".files"]} files, {got[row + ".malformed"]} malformed records, {b:.0f} MB in {s:.2f} s')
        print(f'{"not " if wrong else ""}ok {n} - {row}')
        bad |= bool(wrong)
    return int(bad)


sys.exit(main())

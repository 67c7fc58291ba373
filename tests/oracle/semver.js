// node semver.js FOLDER: node-semver's answer to each line "A<TAB>B". As its clean() does, '=' and 'v' in front are passed over.
const semver = require(process.argv[2]);
const lines = require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1);
const sign = (a, b) => {
	[a, b] = [a, b].map((v) => semver.parse(v.trim().replace(/^[=v]+/, '')));
	return a && b ? '<=>'[semver.compare(a, b) + 1] : '?';
};
console.log(lines.map((line) => sign(...line.split('\t'))).join('\n'));

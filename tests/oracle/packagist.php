<?php
// php packagist.php VersionParser.php: Composer's answer to each line "A<TAB>B". Branches have no order.
error_reporting(E_ALL & ~E_DEPRECATED);
require $argv[1];
$parser = new Composer\Semver\VersionParser();
$normal = function ($v) use ($parser) {
	try {
		$n = $parser->normalize($v);
		return strpos($n, 'dev-') === 0 ? null : $n;
	} catch (UnexpectedValueException $e) {
		return null;
	}
};
while (($line = fgets(STDIN)) !== false) {
	[$a, $b] = array_map($normal, explode("\t", rtrim($line, "\n"), 2));
	echo $a === null || $b === null ? '?' : ['<', '=', '>'][version_compare($a, $b) + 1], "\n";
}

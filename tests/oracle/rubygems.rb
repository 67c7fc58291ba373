# Gem::Version's answer to each line "A<TAB>B".
STDIN.each_line(chomp: true) do |line|
  a, b = line.split("\t", 2)
  if Gem::Version.correct?(a) && Gem::Version.correct?(b) && !a.strip.empty? && !b.strip.empty?
    puts %w[< = >][(Gem::Version.new(a) <=> Gem::Version.new(b)) + 1]
  else
    puts "?"
  end
end

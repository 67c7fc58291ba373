# stub: json 2.6.1 ruby lib

Gem::Specification.new do |s|
  s.name = "json".freeze
  s.version = "2.6.1"
end

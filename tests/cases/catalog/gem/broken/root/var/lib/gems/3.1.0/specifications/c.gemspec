Gem::Specification.new do |s|
  s.summary = 'never ends
  s.name = "c"
  s.version = "1"
end

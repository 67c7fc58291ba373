Gem::Specification.new do |s|
  s.name = 'a'
  s.version = A::VERSION
end

Gem::Specification.new do |s|
  s.name = "b-#{suffix}"
  s.version = '1'
end

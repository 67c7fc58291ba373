# a comment about spec.name = 'no'
Gem::Specification.new do |spec|
  spec.name= 'a-gem' # named
  spec.version = Gem::Version.new('1.0.0')
  spec.license = 'BSD-2-Clause'
  fail unless spec.name == 'x'
  other.version = '3'
  spec.version.to_s
end

# stub: b 4.5.6 java lib
require_relative 'lib/b/version'
Gem::Specification.new do |s|
  s.name = 'b'
  s.version = B::VERSION + '.0'
  s.licenses = %w[MIT ISC]
end

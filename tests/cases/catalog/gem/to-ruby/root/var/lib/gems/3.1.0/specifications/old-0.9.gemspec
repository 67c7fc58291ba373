# -*- encoding: utf-8 -*-

Gem::Specification.new do |s|
  s.name = %q{old}
  s.version = "0.9"
  s.description = %q{Says {s.version = "1"} and "quotes'}
  s.licenses = [%q{GPL-2}]
end

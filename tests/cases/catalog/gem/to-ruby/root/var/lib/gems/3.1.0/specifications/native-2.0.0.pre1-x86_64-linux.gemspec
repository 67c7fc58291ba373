# -*- encoding: utf-8 -*-
# stub: native 2.0.0.pre1 x86_64-linux lib
# stub: ext/native/extconf.rb

Gem::Specification.new do |s|
  s.name = "native".freeze
  s.version = "2.0.0.pre1"
  s.platform = "x86_64-linux".freeze
  s.licenses = ["Apache-2.0".freeze]
end

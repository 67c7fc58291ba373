# -*- encoding: utf-8 -*-
# stub: plain 1.2.3 ruby lib

Gem::Specification.new do |s|
  s.name = "plain".freeze
  s.version = "1.2.3"

  s.required_rubygems_version = Gem::Requirement.new(">= 0".freeze) if s.respond_to? :required_rubygems_version=
  s.require_paths = ["lib".freeze]
  s.authors = ["Somebody".freeze]
  s.date = "2024-01-01"
  s.description = "A \"description\" with\n  s.version = \"9.9.9\"\n in it #hash".freeze
  s.licenses = ["MIT".freeze, "Ruby".freeze]
  s.rubygems_version = "3.3.15".freeze
  s.summary = "It's plain".freeze

  s.installed_by_version = "3.3.15" if s.respond_to? :installed_by_version

  if s.respond_to? :specification_version then
    s.specification_version = 4
  end

  if s.respond_to? :add_runtime_dependency then
    s.add_runtime_dependency(%q<rack>.freeze, ["~> 2.2"])
  else
    s.add_dependency(%q<rack>.freeze, ["~> 2.2"])
  end
end

Gem::Specification.new { |s|
  s.name = 'c'; s.version = '1'
  s.version = '2' if true
  s.licenses = [
    'MIT', # or
    "Ruby".freeze
  ]
}

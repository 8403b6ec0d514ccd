"""What the real server's parser (0.1.4, `casial-server validate`) makes of changed mission files: found by asking it.

Each row is what is replaced in the mission below, once, by what, and whether the server then takes the file. A test
asks it again where MOP_SERVER_BIN names one.
"""

from __future__ import annotations

from typing import Final

MISSION: Final = """\
id: search-guidance
name: Search guidance
description: Adds one paragraph of guidance to every search tool call.
templates:
  - id: cite-sources
    name: Cite sources
    description: Asks for primary sources.
    categories: [search]
    priority: 100
    enabled: true
    content: |
      Prefer primary sources, give the date of each, and say where two of them disagree.
    perception_affinity: []
    paradox_resistance: 0.8
    metadata: {}
rules:
  - id: search-tools
    name: Search tools
    enabled: true
    conditions:
      tool_patterns: ["exa_"]  # substrings of the tool name, not globs
      environment_vars: {}
      file_signals: []
      perception_states: []
      min_confidence: null
    actions:
      template_ids: [cite-sources]
      transform_type: Prepend
      target_field: null
      char_limit: null
      perception_lock: false
    perception_scope: []
    paradox_handling: Coexist
perceptions: []
budgets:
  global_char_limit: null
  per_tool_limits: {}
  perception_quotas: {}
  paradox_overhead: 0.1
created_at: "2026-01-01T00:00:00Z"
updated_at: "2026-01-01T00:00:00Z"
"""

VERDICTS: Final[tuple[tuple[str, str, bool], ...]] = (
    ("", "", True),
    ("priority: 100", 'priority: "100"', False),
    ("priority: 100", "priority: 0x10", True),
    ("priority: 100", "priority: 0o17", True),
    ("priority: 100", "priority: 0b11", True),
    ("priority: 100", "priority: +5", True),
    ("priority: 100", "priority: 1_000", False),
    ("priority: 100", "priority: 1e2", False),
    ("priority: 100", "priority: 100.0", False),
    ("priority: 100", "priority: -1", False),
    ("priority: 100", "priority: 4294967296", False),
    ("priority: 100", "priority: 4294967295", True),
    ("priority: 100", "priority: ~", False),
    ("priority: 100", "priority: ", False),
    ("priority: 100", "priority: 017", False),
    ("priority: 100", 'priority: !!int "5"', False),
    ("priority: 100", 'priority: " 5"', False),
    ("priority: 100", "priority: 0100", False),
    ("priority: 100", "priority: 00", False),
    ("enabled: true", "enabled: True", True),
    ("enabled: true", "enabled: TRUE", True),
    ("enabled: true", "enabled: yes", False),
    ("enabled: true", "enabled: on", False),
    ("enabled: true", 'enabled: "true"', False),
    ("enabled: true", "enabled: 1", False),
    ("enabled: true", "enabled: ~", False),
    ("enabled: true", 'enabled: !!bool "true"', False),
    ("paradox_resistance: 0.8", "paradox_resistance: 1", True),
    ("paradox_resistance: 0.8", 'paradox_resistance: "0.8"', False),
    ("paradox_resistance: 0.8", "paradox_resistance: .inf", True),
    ("paradox_resistance: 0.8", "paradox_resistance: .nan", True),
    ("paradox_resistance: 0.8", "paradox_resistance: -.5", True),
    ("paradox_resistance: 0.8", "paradox_resistance: 1e3", True),
    ("paradox_resistance: 0.8", "paradox_resistance: 1_0.0", False),
    ("paradox_resistance: 0.8", "paradox_resistance: +1.5", True),
    ("paradox_resistance: 0.8", "paradox_resistance: ~", False),
    ("paradox_resistance: 0.8", "paradox_resistance: -.inf", True),
    ("paradox_resistance: 0.8", "paradox_resistance: 0x10", False),
    ("paradox_resistance: 0.8", "paradox_resistance: 1.", True),
    ("paradox_resistance: 0.8", "paradox_resistance: +.5", True),
    ("paradox_resistance: 0.8", "paradox_resistance: .5", True),
    ("paradox_resistance: 0.8", "paradox_resistance: infinity", False),
    ("paradox_resistance: 0.8", "paradox_resistance: inf", False),
    ("paradox_resistance: 0.8", "paradox_resistance: nan", False),
    ("paradox_resistance: 0.8", 'paradox_resistance: !!float "1"', False),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: 12", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: ~", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: null", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: ", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: true", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: 1.5", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: []", False),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: {}", False),
    ("description: Adds one paragraph of guidance to every search tool call.", 'description: "x"', True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: !!str 5", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: !foo x", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: 2026-01-01", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: Null", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: NULL", True),
    ("categories: [search]", "categories: ~", False),
    ("categories: [search]", "categories: ", True),
    ("categories: [search]", "categories: {}", False),
    ("categories: [search]", "categories: []", True),
    ("categories: [search]", "categories: null", False),
    ("categories: [search]", "categories: [1]", True),
    ("categories: [search]", "categories: [~]", True),
    ("categories: [search]", "categories: [[]]", False),
    ("categories: [search]", "categories: foo", False),
    ("categories: [search]", 'categories: "~"', False),
    ("categories: [search]", "categories: Null", False),
    ("categories: [search]", 'categories: !!null ""', False),
    ("categories: [search]", "categories: [true]", True),
    ("categories: [search]", 'categories: [""]', True),
    ("metadata: {}", "metadata: ~", False),
    ("metadata: {}", "metadata: ", True),
    ("metadata: {}", "metadata: []", False),
    ("metadata: {}", "metadata: {a: 1}", True),
    ("metadata: {}", "metadata: {1: 2}", True),
    ("metadata: {}", "metadata: {~: 2}", True),
    ("metadata: {}", "metadata: {a: 1, a: 2}", True),
    ("metadata: {}", "metadata: {[1]: 2}", False),
    ("metadata: {}", "metadata: foo", False),
    ("metadata: {}", "metadata: {a: [1,{b: ~}]}", True),
    ("metadata: {}", "metadata: {a: {1: 2}}", True),
    ("metadata: {}", "metadata: {a: {~: 2}}", True),
    ("metadata: {}", "metadata: {a: {[1]: 2}}", False),
    ("metadata: {}", "metadata: {a: !foo x}", False),
    ("metadata: {}", "metadata: {a: .nan}", True),
    ("metadata: {}", "metadata: {a: {true: 2}}", True),
    ("metadata: {}", "metadata: {true: 1}", True),
    ("metadata: {}", "metadata: {<<: {a: 1}}", True),
    ("environment_vars: {}", "environment_vars: ~", False),
    ("environment_vars: {}", "environment_vars: {}", True),
    ("environment_vars: {}", "environment_vars: {A: 1}", True),
    ("environment_vars: {}", "environment_vars: {1: b}", True),
    ("environment_vars: {}", "environment_vars: {A: ~}", True),
    ("environment_vars: {}", "environment_vars: {A: [1]}", False),
    ("environment_vars: {}", "environment_vars: {A: b, A: c}", True),
    ("environment_vars: {}", "environment_vars: []", False),
    ("environment_vars: {}", 'environment_vars: {A: ""}', True),
    ("global_char_limit: null", "global_char_limit: ~", True),
    ("global_char_limit: null", "global_char_limit: null", True),
    ("global_char_limit: null", "global_char_limit: ", True),
    ("global_char_limit: null", "global_char_limit: 10", True),
    ("global_char_limit: null", 'global_char_limit: "10"', False),
    ("global_char_limit: null", "global_char_limit: -1", False),
    ("global_char_limit: null", "global_char_limit: foo", False),
    ("global_char_limit: null", "global_char_limit: 18446744073709551615", True),
    ("global_char_limit: null", "global_char_limit: 18446744073709551616", False),
    ("global_char_limit: null", "global_char_limit: NULL", True),
    ("global_char_limit: null", "global_char_limit: Null", True),
    ("global_char_limit: null", 'global_char_limit: "null"', False),
    ("global_char_limit: null", "global_char_limit: 1.0", False),
    ("min_confidence: null", "min_confidence: ~", True),
    ("min_confidence: null", "min_confidence: null", True),
    ("min_confidence: null", "min_confidence: ", True),
    ("min_confidence: null", "min_confidence: .5", True),
    ("min_confidence: null", "min_confidence: 1", True),
    ("min_confidence: null", "min_confidence: foo", False),
    ("min_confidence: null", 'min_confidence: "1"', False),
    ("target_field: null", "target_field: foo", True),
    ("target_field: null", "target_field: ~", True),
    ("target_field: null", "target_field: 12", True),
    ("target_field: null", "target_field: [a]", False),
    ("target_field: null", 'target_field: "~"', True),
    ("transform_type: Prepend", "transform_type: prepend", False),
    ("transform_type: Prepend", 'transform_type: "Prepend"', True),
    ("transform_type: Prepend", "transform_type: !Prepend", True),
    ("transform_type: Prepend", "transform_type: {Prepend: ~}", False),
    ("transform_type: Prepend", "transform_type: Prepend: ~", False),
    ("transform_type: Prepend", "transform_type: !Prepend ~", True),
    ("transform_type: Prepend", "transform_type: Nope", False),
    ("transform_type: Prepend", "transform_type: ~", False),
    ("transform_type: Prepend", 'transform_type: !Append ""', False),
    ("transform_type: Prepend", "transform_type: {Prepend: {}}", False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01"', False),
    ('created_at: "2026-01-01T00:00:00Z"', "created_at: 2026-01-01T00:00:00Z", True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00"', False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00+02:00"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01 00:00:00Z"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01t00:00:00z"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00.123456789Z"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-02-30T00:00:00Z"', False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T24:00:00Z"', False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:60Z"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00Z"', False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00+0200"', True),
    ('created_at: "2026-01-01T00:00:00Z"', "created_at: 12", False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "+12026-01-01T00:00:00Z"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-1-1T00:00:00Z"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00 Z"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00,5Z"', False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: " 2026-01-01T00:00:00Z"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00UTC"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00-00:00"', True),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00+99:00"', False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00.Z"', False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "2026-01-01T00:00:00+02"', False),
    ('created_at: "2026-01-01T00:00:00Z"', 'created_at: "0000-01-01T00:00:00Z"', True),
    ("perception_affinity: []", "perception_affinity: [6ba7b810-9dad-11d1-80b4-00c04fd430c8]", True),
    ("perception_affinity: []", "perception_affinity: [6BA7B810-9DAD-11D1-80B4-00C04FD430C8]", True),
    ("perception_affinity: []", "perception_affinity: [6ba7b8109dad11d180b400c04fd430c8]", True),
    ("perception_affinity: []", 'perception_affinity: ["{6ba7b810-9dad-11d1-80b4-00c04fd430c8}"]', True),
    ("perception_affinity: []", "perception_affinity: [urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8]", True),
    ("perception_affinity: []", "perception_affinity: [x]", False),
    ("perception_affinity: []", "perception_affinity: [12]", False),
    ("perception_affinity: []", "perception_affinity: [6ba7b810-9dad-11d1-80b4-00c04fd430c]", False),
    ("perception_affinity: []", 'perception_affinity: ["URN:UUID:6ba7b810-9dad-11d1-80b4-00c04fd430c8"]', False),
    ("perception_quotas: {}", "perception_quotas: {6ba7b810-9dad-11d1-80b4-00c04fd430c8: 3}", True),
    ("perception_quotas: {}", "perception_quotas: {x: 3}", False),
    ("per_tool_limits: {}", "per_tool_limits: {x: -3}", False),
    ("id: search-guidance", "id: search-guidance\nid: b", False),
    ("id: search-guidance", "id: search-guidance\nzz: b", True),
    ("id: search-guidance", "id: search-guidance\nzz: b\nzz: c", True),
    ("id: search-guidance", "id: search-guidance\n12: b", True),
    ("id: search-guidance", "id: search-guidance\n~: b", True),
    ("id: search-guidance", "id: search-guidance\n? [a]\n: b", False),
    ("id: search-guidance", "id: search-guidance\n---\na: b", False),
    ("id: search-guidance", "---\nid: search-guidance", True),
    ("name: Search guidance", "name: &a Search guidance", True),
    ("description: Adds one paragraph of guidance to every search tool call.", "description: *a", False),
    (
        "id: search-guidance\nname: Search guidance\ndescription: Adds one paragraph of guidance to every search tool call.",
        "id: &a search-guidance\nname: *a\ndescription: *a",
        True,
    ),
    ("perceptions: []", "<<: {perceptions: []}", False),
    ("id: search-guidance", "id:\tsearch-guidance", True),
    ('updated_at: "2026-01-01T00:00:00Z"', 'updated_at: "2026-01-01T00:00:00Z"\n...\n', True),
    ('updated_at: "2026-01-01T00:00:00Z"', 'updated_at: "2026-01-01T00:00:00Z"\n...\n---\nfoo: 1\n', False),
    ("id", "\ufeffid", False),
    (
        "budgets:\n  global_char_limit: null\n  per_tool_limits: {}\n  perception_quotas: {}\n  paradox_overhead: 0.1",
        "budgets: [~, {}, {}, 0.1]",
        False,
    ),
    ("file_signals: []", "file_signals: [{path: a, must_exist: true}]", True),
    (
        "file_signals: []",
        'file_signals: [{path: a, must_exist: true, contains: b, modified_since: "2026-01-01T00:00:00Z"}]',
        True,
    ),
    ("file_signals: []", "file_signals: [{path: a}]", False),
    ("rules:", "rules: ~\nxx:", False),
)

ONLY_WE_REFUSE: Final = frozenset(
    (
        "description: !foo x",
        "transform_type: !Prepend",
        "transform_type: !Prepend ~",
        'created_at: "2026-01-01T00:00:60Z"',
        'created_at: "+12026-01-01T00:00:00Z"',
        'created_at: "2026-1-1T00:00:00Z"',
        'created_at: "2026-01-01T00:00:00 Z"',
        'created_at: " 2026-01-01T00:00:00Z"',
        'created_at: "2026-01-01T00:00:00UTC"',
        'created_at: "0000-01-01T00:00:00Z"',
        'perception_affinity: ["{6ba7b810-9dad-11d1-80b4-00c04fd430c8}"]',
        "perception_affinity: [urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8]",
        "id:\tsearch-guidance",
    )
)
"""What the server takes and our reader does not: tags, a tab behind a colon, exotic forms of ids and timestamps."""

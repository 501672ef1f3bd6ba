-- What scripts check before their first write. Not a script of its own: it stands in front of all of them.

-- The code for an error that redis.pcall returned. Its text stays here: it may hold field content.
local function error_code(text)
  if string.find(text, 'WRONGTYPE', 1, true) then return 'wrong-type' end
  if string.find(text, 'NOGROUP', 1, true) or string.find(text, 'no such key', 1, true) then return 'no-group' end
  return 'no-permission'
end

-- A command that is refused after the first write would leave half a batch. Returns the code when one is forbidden.
local function check_permissions(...)
  for _, command in ipairs({ ... }) do
    if not redis.acl_check_cmd(unpack(command)) then return 'no-permission' end
  end
  return nil
end

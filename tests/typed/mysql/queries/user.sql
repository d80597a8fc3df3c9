SELECT id, name, bio FROM users WHERE id = ?

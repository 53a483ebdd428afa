import { Select, Skeleton, Text } from '@mantine/core';
import { IconDatabase } from '@tabler/icons-react';
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useLog } from '../api/use-log.ts';

/** Which source's log the pages are about. It is in the address, and stays when one goes to another page. */
export function LogChooser() {
  const { name, logs } = useLog();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  if (!logs) return <Skeleton w={140} h={30} aria-hidden />;
  const names = logs.map((log) => log.name);
  if (names.length === 0 || name === undefined) return null;
  if (names.length === 1 && names[0] === name)
    return (
      <Text size="sm" truncate maw={200} title={`The log of ${name}`}>
        <IconDatabase size={14} aria-hidden style={{ verticalAlign: '-2px', marginRight: 6 }} />
        {name}
      </Text>
    );
  return (
    <Select
      aria-label="Log"
      data={names.includes(name) ? names : [name, ...names]}
      value={name}
      allowDeselect={false}
      size="xs"
      w={{ base: 120, xs: 180 }}
      leftSection={<IconDatabase size={14} aria-hidden />}
      onChange={(log) => {
        // What is filtered or looked at in one log means nothing in another.
        if (log !== null) void navigate({ to: pathname, search: { log } });
      }}
    />
  );
}

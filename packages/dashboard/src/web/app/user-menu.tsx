import { ActionIcon, type MantineColorScheme, Menu, Text, useMantineColorScheme } from '@mantine/core';
import {
  IconDeviceDesktop,
  IconKeyboard,
  IconLock,
  IconLogout,
  IconMoon,
  IconSun,
  IconUser,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useSession } from '../api/use-session.ts';
import { useSignOut } from '../api/use-sign-out.ts';

const schemes = [
  { scheme: 'light', label: 'Light', icon: <IconSun size={16} aria-hidden /> },
  { scheme: 'dark', label: 'Dark', icon: <IconMoon size={16} aria-hidden /> },
  { scheme: 'auto', label: 'As the device has it', icon: <IconDeviceDesktop size={16} aria-hidden /> },
] as const;

/** Who one is, and how one likes the pages. */
export function UserMenu({ onKeys }: { readonly onKeys: () => void }) {
  const { data: session } = useSession();
  const signOut = useSignOut();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" width={220} withinPortal>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label="You, colours, keys">
          <IconUser size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {session && (
          <Menu.Label>
            <Text size="sm" c="var(--mantine-color-text)" truncate>
              {session.name}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {[session.email, session.role].filter((text) => text !== null).join(' · ')}
            </Text>
          </Menu.Label>
        )}
        {session?.kind === 'person' && session.hasAccounts && (
          <>
            <Menu.Item component={Link} to="/account" leftSection={<IconLock size={16} aria-hidden />}>
              My account
            </Menu.Item>
            <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
              Sign out
            </Menu.Item>
          </>
        )}
        <Menu.Divider />
        <Menu.Label>Colours</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(scheme) => setColorScheme(scheme as MantineColorScheme)}
        >
          {schemes.map(({ scheme, label, icon }) => (
            <Menu.RadioItem key={scheme} value={scheme} rightSection={icon}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<IconKeyboard size={16} aria-hidden />} onClick={onKeys}>
          Keys
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

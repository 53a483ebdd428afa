import { Box, Paper, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

interface EntranceProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** What is around pages for those who are not signed in. */
export function Entrance({ title, children }: EntranceProps) {
  useEffect(() => {
    document.title = `${title} · Bemi`;
  }, [title]);
  return (
    <Box component="main" id="main" px="md" pt={{ base: 'md', xs: '12vh' }} pb="xl" maw={440} mx="auto">
      <Text fw={700} size="lg" mb="md">
        Bemi
      </Text>
      <Paper withBorder p={{ base: 'md', xs: 'lg' }} mih={300}>
        <Stack gap="md">
          <Title order={1} size="h3">
            {title}
          </Title>
          {children}
        </Stack>
      </Paper>
    </Box>
  );
}

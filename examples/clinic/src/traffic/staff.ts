/** Somebody at the clinic, at their usual desk. */
export interface StaffMember {
  /** As the sign-in proxy knows them. */
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly role: 'ADMIN' | 'PHYSICIAN' | 'NURSE' | 'RECEPTIONIST';
  readonly ipAddress: string;
  readonly userAgent: string;
}

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const SAFARI =
  'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';

export const ADMINISTRATOR: StaffMember = {
  name: 'Ingrid Solberg',
  userId: 'ingrid.solberg',
  email: 'ingrid.solberg@clinic.example',
  role: 'ADMIN',
  ipAddress: '10.20.0.5',
  userAgent: FIREFOX,
};

export const PHYSICIANS: readonly StaffMember[] = [
  {
    name: 'Dr. Amara Okafor',
    userId: 'amara.okafor',
    email: 'amara.okafor@clinic.example',
    role: 'PHYSICIAN',
    ipAddress: '10.20.1.11',
    userAgent: SAFARI,
  },
  {
    name: 'Dr. Daniel Reyes',
    userId: 'daniel.reyes',
    email: 'daniel.reyes@clinic.example',
    role: 'PHYSICIAN',
    ipAddress: '10.20.1.12',
    userAgent: CHROME,
  },
];

export const NURSE: StaffMember = {
  name: 'Mei-Ling Chen',
  userId: 'mei-ling.chen',
  email: 'mei-ling.chen@clinic.example',
  role: 'NURSE',
  ipAddress: '10.20.2.31',
  userAgent: SAFARI,
};

export const RECEPTIONIST: StaffMember = {
  name: 'Tom Whitfield',
  userId: 'tom.whitfield',
  email: 'tom.whitfield@clinic.example',
  role: 'RECEPTIONIST',
  ipAddress: '10.20.3.7',
  userAgent: CHROME,
};

export const STAFF: readonly StaffMember[] = [ADMINISTRATOR, ...PHYSICIANS, NURSE, RECEPTIONIST];

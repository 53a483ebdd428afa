import { setTimeout } from 'node:timers/promises';
import { type Asking, type ClinicApi, clinicApi } from './traffic/clinic-api.ts';
import { ALLERGIES, FIRST_NAMES, LAST_NAMES, MEDICATIONS, STREETS } from './traffic/people.ts';
import { ADMINISTRATOR, NURSE, PHYSICIANS, RECEPTIONIST, STAFF, type StaffMember } from './traffic/staff.ts';

export interface TrafficOptions {
  /** Aborted to stop: what is under way is given up. */
  readonly signal: AbortSignal;
  /** Between two requests, on average. Default 700. */
  readonly intervalMs?: number;
  /** From 0 up to 1. Default `Math.random`. */
  readonly random?: () => number;
}

interface Person {
  readonly id: string;
  readonly lastName: string;
}

/** A day at the clinic: who is there, and whom they know. */
interface Day {
  readonly api: ClinicApi;
  readonly random: () => number;
  /** Ids of the staff's records in the clinic. */
  readonly recordIds: Map<StaffMember, string>;
  readonly patients: Person[];
  readonly activePrescriptions: string[];
}

/** The clinic doesn't grow without end. */
const MOST_PATIENTS = 40;

/**
 * Has the clinic's staff work with its API: patients are registered, move house and are deleted, medication is
 * prescribed and cancelled, records are read.
 *
 * @returns when the signal is aborted; it throws if a request fails before that.
 */
export async function playTraffic(clinicUrl: string, options: TrafficOptions): Promise<void> {
  const { signal, intervalMs = 700, random = Math.random } = options;
  const day: Day = {
    api: clinicApi(clinicUrl, signal),
    random,
    recordIds: new Map(),
    patients: [],
    activePrescriptions: [],
  };
  try {
    await signIn(day);
    for (;;) {
      await chooseAction(day)(day);
      await pause(intervalMs, day, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Between half the interval and one and a half. */
function pause(intervalMs: number, { random }: Day, signal: AbortSignal): Promise<void> {
  return setTimeout(intervalMs * (0.5 + random()), undefined, { signal });
}

/** Finds the staff's records, or has the administrator make them. */
async function signIn(day: Day): Promise<void> {
  const asking: Asking = { staff: ADMINISTRATOR, reason: 'Staff onboarding' };
  const known = (await day.api.ask(asking, 'GET', '/users')) as { id: string; email: string }[];
  for (const staff of STAFF) {
    const { name, email, role } = staff;
    const user =
      known.find((one) => one.email === email) ??
      ((await day.api.ask(asking, 'POST', '/users', { name, email, role })) as (typeof known)[number]);
    day.recordIds.set(staff, user.id);
  }
}

type Action = (day: Day) => Promise<void>;

function chooseAction(day: Day): Action {
  if (day.patients.length < 3) return registerPatient;
  if (day.patients.length > MOST_PATIENTS) return deletePatient;
  const dice = day.random();
  if (dice < 0.2) return registerPatient;
  if (dice < 0.4) return updateContact;
  if (dice < 0.65) return prescribe;
  if (dice < 0.75) return noteAllergy;
  if (dice < 0.85 && day.activePrescriptions.length > 0) return cancelPrescription;
  if (dice < 0.89) return deletePatient;
  return readRecord;
}

const registerPatient: Action = async (day) => {
  const gender = day.random() < 0.5 ? 'FEMALE' : 'MALE';
  const firstName = pick(day, FIRST_NAMES[gender]);
  const lastName = pick(day, LAST_NAMES);
  const number = Math.floor(day.random() * 1e9);
  const born = new Date(Date.UTC(1935 + day.random() * 80, day.random() * 12, 1 + day.random() * 28));
  const mailbox = `${firstName}.${lastName}`.toLowerCase().replace(/[^a-z.]/g, '');
  const patient = await day.api.ask(as(RECEPTIONIST, 'New patient registration'), 'POST', '/patients', {
    firstName,
    lastName,
    dateOfBirth: born.toISOString().slice(0, 10),
    gender,
    email: `${mailbox}.${number}@mail.example`,
    phone: phone(day),
    address: address(day),
  });
  day.patients.push(patient as Person);
};

const updateContact: Action = async (day) => {
  const { id } = pick(day, day.patients);
  const moved = day.random() < 0.5;
  const change = moved ? { address: address(day) } : { phone: phone(day) };
  const reason = moved ? 'Patient moved house' : 'Patient called about a new number';
  await day.api.ask(as(RECEPTIONIST, reason), 'PATCH', `/patients/${id}`, change);
};

const noteAllergy: Action = async (day) => {
  const { id } = pick(day, day.patients);
  await day.api.ask(as(NURSE, 'Intake interview'), 'PATCH', `/patients/${id}`, {
    allergies: [pick(day, ALLERGIES)],
  });
};

const prescribe: Action = async (day) => {
  const physician = pick(day, PHYSICIANS);
  const asking = as(physician, pick(day, ['Follow-up visit', 'Annual check-up', 'Acute complaint']));
  const prescription = await day.api.ask(asking, 'POST', '/prescriptions', {
    ...pick(day, MEDICATIONS),
    refills: Math.floor(day.random() * 4),
    patientId: pick(day, day.patients).id,
    prescriberId: day.recordIds.get(physician),
  });
  day.activePrescriptions.push((prescription as { id: string }).id);
};

const cancelPrescription: Action = async (day) => {
  const [id] = day.activePrescriptions.splice(Math.floor(day.random() * day.activePrescriptions.length), 1);
  const reason = pick(day, ['Interaction with other medication', 'Side effects', 'Therapy completed early']);
  await day.api.ask(as(pick(day, PHYSICIANS), reason), 'POST', `/prescriptions/${id}/cancel`, {
    reason,
  });
};

const deletePatient: Action = async (day) => {
  const [gone] = day.patients.splice(Math.floor(day.random() * day.patients.length), 1);
  if (gone === undefined) return;
  const asking = as(ADMINISTRATOR, 'Erasure requested by the patient');
  const theirs = (await day.api.ask(asking, 'GET', `/prescriptions?patientId=${gone.id}`)) as {
    id: string;
  }[];
  await day.api.ask(asking, 'DELETE', `/patients/${gone.id}`);
  for (const { id } of theirs) {
    const index = day.activePrescriptions.indexOf(id);
    if (index !== -1) day.activePrescriptions.splice(index, 1);
  }
};

const readRecord: Action = async (day) => {
  await day.api.ask(as(NURSE, 'Preparing a visit'), 'GET', `/patients/${pick(day, day.patients).id}`);
};

function as(staff: StaffMember, reason: string): Asking {
  return { staff, reason };
}

function pick<T>(day: Day, from: readonly T[]): T {
  return from[Math.floor(day.random() * from.length)]!;
}

function phone(day: Day): string {
  return `+1555${String(Math.floor(day.random() * 1e7)).padStart(7, '0')}`;
}

function address(day: Day): string {
  return `${1 + Math.floor(day.random() * 120)} ${pick(day, STREETS)}`;
}

import {
  type AlterClientQuotasRequest,
  alterClientQuotasApi,
} from '../../wire/apis/49-alter-client-quotas.ts';
import { controllerHandler } from '../controller.ts';

/** The controller decides; the gateway keeps to it once metadata says so. */
export const alterClientQuotas = controllerHandler({
  api: alterClientQuotasApi,
  min: 0,
  max: 1,
  refuse: refuseQuotas,
});

export function refuseQuotas(errorCode: number, { entries }: AlterClientQuotasRequest) {
  const answers = entries.map(({ entity }) => ({ errorCode, errorMessage: null, entity }));
  return { throttleTimeMs: 0, entries: answers };
}

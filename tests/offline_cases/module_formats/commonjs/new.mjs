import { said } from './other.mjs'

export const hello = async () => ({ statusCode: 200, body: said })
